/** A guard taken away: the text that is it, what stands there without it, and the one test that says so. */
export interface Mutant {
  name: string;
  file: string;
  /** Each must stand in the file exactly once. */
  changes: readonly (readonly [find: string, replace: string])[];
  /** The file of the test that must turn red, and enough of its title to mean that one alone. */
  test: string;
  red: string;
  /** It is a guard of row-level security, or of what passes it: others are tried without, which holds back what they let through. */
  behindPolicies?: true;
}
