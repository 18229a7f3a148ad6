/** All parts that pages are made of, from one place. What each is for stands where it is. */

export { Button, IconButton } from "./ui/button.js";
export { DropZone, Field, PasswordField, Segments, Select, Slider, Switch, TextArea, TextField } from "./ui/fields.js";
export { Form, sentence, useForm } from "./ui/form.js";
export { Icon } from "./ui/icon.js";
export { Ask, Dialog, Menu, Toasts, confirmWithUndo, toast, toastError } from "./ui/overlay.js";
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
