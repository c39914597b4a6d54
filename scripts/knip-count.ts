import type { ReporterOptions } from 'knip';

/** Says how many files knip read, so that a run over nothing cannot pass for a clean one. */
export default function count({ counters }: ReporterOptions): void {
  console.log(`Looked at ${counters.processed} files.`);
}
