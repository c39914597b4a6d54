import { findCycles } from './cycles.ts';
import type { Arrow, Graph } from './graph.ts';
import { matchPlace } from './places.ts';
import { type Never, nevers, type Row, rows } from './rules.ts';
import { useRules } from './uses.ts';

/** A rule that was broken, where, and why the rule exists. */
export type Violation = { readonly rule: string; readonly where: string; readonly what: string; readonly why: string };

/** Holds every rule against a graph. */
export function judge(graph: Graph): Violation[] {
  const reachesPackage = createReach(graph.arrows);
  return [
    ...judgeFiles(graph),
    ...graph.arrows.flatMap((arrow) => judgeArrow(arrow, graph, reachesPackage)),
    ...judgeCycles(graph.arrows),
    ...judgeUses(graph),
  ];
}

function judgeFiles({ files, faults }: Graph): Violation[] {
  const strays = [...files].filter((file) => !rowOf(file));
  return [
    ...strays.map((file) => ({
      rule: 'every-file-has-a-row',
      where: file,
      what: 'no row of the table speaks of it',
      why: 'A folder without a row is a folder without a boundary.',
    })),
    ...faults.map((fault) => ({
      rule: 'imports-can-be-read',
      where: `${fault.file}:${fault.line}`,
      what: fault.what,
      why: 'What the check cannot read it cannot keep.',
    })),
  ];
}

function judgeArrow(arrow: Arrow, graph: Graph, reachesPackage: (file: string) => boolean): Violation[] {
  const row = rowOf(arrow.from);
  const where = `${arrow.from}:${arrow.line}`;
  const what = `${arrow.kind === 'type' ? 'imports the types of' : 'imports'} ${arrow.to}`;
  if (!exists(arrow.to, graph)) {
    const why = 'An arrow to nowhere is an arrow that no rule sees.';
    return [{ rule: 'targets-exist', where, what, why }];
  }
  const broken = nevers.find((never) => forbids(never, arrow));
  if (broken) return [{ rule: broken.name, where, what, why: broken.why }];
  if (!row || row.may.some((grant) => grants(grant, row, arrow, reachesPackage))) return [];
  return [{ rule: row.name, where, what, why: row.why }];
}

function forbids(never: Never, { from, to }: Arrow): boolean {
  const source = matchPlace(never.from, from);
  if (!source || !matchPlace(never.to, to)) return false;
  if (never.unlessFrom?.some((place) => matchPlace(place, from))) return false;
  return !never.except?.some((place) => matchPlace(place, to, source[0]));
}

function grants(grant: string, row: Row, arrow: Arrow, reachesPackage: (file: string) => boolean): boolean {
  const [place = '', word] = grant.split(' ').toReversed();
  const own = matchPlace(row.from, arrow.from)?.[0];
  if (!matchPlace(place, arrow.to, own)) return false;
  if (word === undefined || arrow.kind === 'type') return true;
  return word === 'pure' && !reachesPackage(arrow.to);
}

/** Tells whether loading a file loads a package in the end; what cannot is safe in a workflow. */
function createReach(arrows: readonly Arrow[]): (file: string) => boolean {
  const values = Map.groupBy(
    arrows.filter((arrow) => arrow.kind === 'value'),
    (arrow) => arrow.from,
  );
  const known = new Map<string, boolean>();
  return function reaches(file: string): boolean {
    if (isPackage(file)) return true;
    if (!known.has(file)) {
      // Written before the answer is known, so that a cycle ends here; cycles are red by their own rule.
      known.set(file, false);
      known.set(
        file,
        (values.get(file) ?? []).some((arrow) => reaches(arrow.to)),
      );
    }
    return known.get(file) === true;
  };
}

function judgeCycles(arrows: readonly Arrow[]): Violation[] {
  return findCycles(arrows).map((cycle) => ({
    rule: 'no-cycles',
    where: cycle[0] ?? '',
    what: cycle.join(' → '),
    why: 'Files in a circle cannot be understood, tested or loaded one at a time.',
  }));
}

function judgeUses(graph: Graph): Violation[] {
  return graph.uses.flatMap(({ file, line, what }) => {
    const broken = useRules.filter(
      (rule) =>
        rule.words.some((word) => word === what) &&
        matchPlace(rule.within, file) &&
        !rule.except.some((place) => matchPlace(place, file)),
    );
    return broken.map((rule) => ({ rule: rule.name, where: `${file}:${line}`, what: `uses ${what}`, why: rule.why }));
  });
}

function rowOf(file: string): Row | undefined {
  return rows.find((row) => matchPlace(row.from, file));
}

function isPackage(target: string): boolean {
  return target.startsWith('npm:') || target.startsWith('node:');
}

/** Not above the root, nor by a name that only package.json or the file system could explain. */
function exists(target: string, { files }: Graph): boolean {
  if (isPackage(target)) return !/^npm:($|[#/]|file:|https?:|data:|homing$)/.test(target);
  return files.has(target) || (target.endsWith('.json') && !target.startsWith('..'));
}
