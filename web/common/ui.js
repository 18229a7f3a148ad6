/** All parts that pages are made of, from one place. What each is for stands where it is. */

export { Button, IconButton } from "./ui/button.js";
export {
  DropZone,
  Field,
  PasswordField,
  SearchField,
  Segments,
  Select,
  Slider,
  Switch,
  TextArea,
  TextField,
  ZoneField,
} from "./ui/fields.js";
export { Finder } from "./ui/finder.js";
export { Form, sentence, useForm } from "./ui/form.js";
export { Icon } from "./ui/icon.js";
export { Leaving } from "./ui/leaving.js";
export { Ask, Dialog, Menu } from "./ui/overlay.js";
export {
  Avatar,
  Badge,
  Card,
  EmptyState,
  Failed,
  Notice,
  PageHeader,
  Pager,
  Progress,
  Skeleton,
  StatusDot,
  Table,
  Tabs,
} from "./ui/show.js";
export { Toasts, confirmWithUndo, toast, toastError } from "./ui/toasts.js";
