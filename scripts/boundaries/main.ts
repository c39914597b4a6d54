import { readGraph } from './graph.ts';
import { judge, type Violation } from './judge.ts';

const root = new URL('../..', import.meta.url).pathname;

function tell({ rule, where, what, why }: Violation): string {
  return `${where} ${what}\n    ${rule}: ${why}`;
}

const graph = readGraph(root);
const violations = judge(graph);
for (const violation of violations) console.log(tell(violation));
console.log(
  `Looked at ${graph.files.size} files and ${graph.arrows.length} imports, found ${violations.length} violations.`,
);
process.exitCode = violations.length > 0 || graph.files.size === 0 ? 1 : 0;
