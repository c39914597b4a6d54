import { writeFileSync } from 'node:fs';
import Mocha from 'mocha';

/** What mocha counted. */
export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** How one test ended, or one hook: mocha names a hook that fails after the test before which it ran. */
export interface Outcome {
  title: string;
  passed: boolean;
  isHook: boolean;
  /** What went wrong, and whether it was an assertion that said so. */
  error?: string;
  asserted?: boolean;
}

/**
 * Mocha's own printed report, and beside it the counts in the file named by the reporter option `countsFile`, and how
 * each test ended in that named by `outcomesFile`.
 */
export default class CountingReporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
    const outcomes: Outcome[] = [];
    runner.on('pass', (test) => {
      counts.passed += 1;
      outcomes.push({ title: test.fullTitle(), passed: true, isHook: false });
    });
    runner.on('fail', (test, error: Failure) => {
      counts.failed += 1;
      outcomes.push(failure(test, error));
    });
    runner.on('pending', () => void (counts.skipped += 1));
    runner.once('end', () => {
      const { countsFile, outcomesFile } = (options.reporterOptions ?? {}) as Record<string, string | undefined>;
      if (countsFile) writeFileSync(countsFile, JSON.stringify(counts));
      if (outcomesFile) writeFileSync(outcomesFile, JSON.stringify(outcomes));
    });
  }
}

function failure(test: Mocha.Test, error: Failure): Outcome {
  const isHook = (test as { type?: string }).type === 'hook';
  return { title: test.fullTitle(), passed: false, isHook, asserted: isAssertion(error), error: error.message };
}

interface Failure extends Error {
  code?: string;
}

/** One that a property found stands behind the property's own error. */
function isAssertion({ code, cause }: Failure): boolean {
  return code === 'ERR_ASSERTION' || (cause as Failure | undefined)?.code === 'ERR_ASSERTION';
}
