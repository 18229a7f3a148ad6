/** This page's own words; imported by each of its modules that says something. */

import { addTexts } from "../../common/i18n.js";
import de from "./de.js";
import en from "./en.js";

addTexts({ en, de });
