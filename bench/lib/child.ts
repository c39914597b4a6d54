import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { plainEnv } from '../../dev/services/index.ts';

/** What a process of a benchmark can be asked to do. */
type Calls = Record<string, (value: never) => unknown>;

type Question = { id: number; name: string; value: unknown };
type Answer = { id: number; value?: unknown; error?: string };

/** A process of the benchmark's own: a reference, or the clients, so that neither shares a processor with what is measured. */
export interface Child<C extends Calls> {
  pid: number;
  ask<Name extends keyof C & string>(name: Name, ...value: Parameters<C[Name]>): Promise<Awaited<ReturnType<C[Name]>>>;
  stop(): Promise<void>;
}

export async function startChild<C extends Calls>(
  script: URL,
  environment: Record<string, string> = {},
  flags: string[] = [],
): Promise<Child<C>> {
  const child = fork(fileURLToPath(script), {
    execArgv: flags,
    env: plainEnv(process.env, { NODE_ENV: 'production', ...environment }),
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  let asked = 0;
  child.on('message', ({ id, value, error }: Answer) => {
    const waiter = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) waiter?.resolve(value as never);
    else waiter?.reject(new Error(error));
  });
  child.once('exit', (code) => {
    for (const { reject } of waiting.values()) reject(new Error(`${script.pathname} ended with ${code}`));
  });
  return {
    pid: child.pid ?? 0,
    ask: (name, value?) =>
      new Promise((resolve, reject) => {
        asked += 1;
        waiting.set(asked, { resolve, reject });
        child.send({ id: asked, name, value } satisfies Question);
      }),
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.disconnect();
      await once(child, 'exit');
    },
  };
}

/** The other side. The process ends with the benchmark that started it. */
export function serve(calls: Calls): void {
  process.on('disconnect', () => process.exit(0));
  process.on('message', ({ id, name, value }: Question) => {
    const answer = (given: Omit<Answer, 'id'>) => process.send?.({ id, ...given } satisfies Answer);
    Promise.resolve(value)
      .then((given) => calls[name]?.(given as never))
      .then(
        (result) => answer({ value: result }),
        (error: Error) => answer({ error: error.stack ?? error.message }),
      );
  });
}
