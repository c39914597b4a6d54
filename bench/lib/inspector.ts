import { freePort } from '../../dev/services/index.ts';

/** A debugger's door into a Node process, through which its heap can be collected before its memory is read. */
export interface Inspector {
  flags: string[];
  collectGarbage(): Promise<void>;
}

export async function inspector(): Promise<Inspector> {
  const port = await freePort();
  return { flags: [`--inspect=127.0.0.1:${port}`], collectGarbage: () => collectGarbage(port) };
}

/** By the Chrome DevTools Protocol (HeapProfiler.collectGarbage). */
async function collectGarbage(port: number): Promise<void> {
  const targets = (await (await fetch(`http://127.0.0.1:${port}/json`)).json()) as { webSocketDebuggerUrl: string }[];
  const socket = new WebSocket(targets[0]?.webSocketDebuggerUrl ?? '');
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = () => reject(new Error('the inspector does not answer'));
  });
  await new Promise((resolve) => {
    socket.onmessage = resolve;
    socket.send(JSON.stringify({ id: 1, method: 'HeapProfiler.collectGarbage' }));
  });
  socket.close();
}
