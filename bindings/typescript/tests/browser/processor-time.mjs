// The processor time of the pages of a browser, which the machine's load changes far less than the time that passes.

import { readFileSync, readdirSync } from "node:fs";

/** Returns what tells the processor time so far, in milliseconds, of all threads of all pages and workers that are there now. */
export async function pagesOf(devtools) {
  const { processInfo } = await devtools.send("SystemInfo.getProcessInfo");
  const pages = processInfo.filter(({ type }) => type === "renderer").map(({ id }) => id);
  return () => pages.reduce((sum, id) => sum + ofProcess(id), 0);
}

function ofProcess(id) {
  let nanoseconds = 0;
  for (const thread of readdirSync(`/proc/${id}/task`)) {
    nanoseconds += Number(readFileSync(`/proc/${id}/task/${thread}/schedstat`, "utf8").split(" ")[0]);
  }
  return nanoseconds / 1e6;
}
