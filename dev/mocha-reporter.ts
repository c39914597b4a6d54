import { writeFileSync } from 'node:fs';
import Mocha from 'mocha';

/** What mocha counted. */
export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** Mocha's own printed report, and beside it the counts in the file named by the reporter option `countsFile`. */
export default class CountingReporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
    runner.on('pass', () => void (counts.passed += 1));
    runner.on('fail', () => void (counts.failed += 1));
    runner.on('pending', () => void (counts.skipped += 1));
    runner.once('end', () => {
      const { countsFile: file } = (options.reporterOptions ?? {}) as { countsFile?: string };
      if (file) writeFileSync(file, JSON.stringify(counts));
    });
  }
}
