/**
 * Calls `then` once when nobody reads any more what we print: the terminal was closed (EIO) or the pipe was (EPIPE). From
 * here on such a write is no uncaught error, which would end the process before it has stopped what it started.
 */
export function whenUnread(then: () => void): void {
  let told = false;
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', () => {
      if (!told) then();
      told = true;
    });
  }
}
