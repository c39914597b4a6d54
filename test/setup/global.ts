import { createTemplate } from './database.ts';

/** Runs once, in the runner's process, before the parallel workers begin. */
export async function mochaGlobalSetup(): Promise<void> {
  await createTemplate();
}
