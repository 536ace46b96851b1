// What only Node has.

export { FileStorage } from "./file-storage.js";
