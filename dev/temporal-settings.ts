import { searchAttributes } from '../contracts/workflows/names.ts';

const typeNames = { KEYWORD: 'Keyword', KEYWORD_LIST: 'KeywordList', BOOL: 'Bool' } as const;

/** Our search attributes in the words of Temporal's command line. */
export const searchAttributesForCli: Record<string, string> = Object.fromEntries(
  Object.entries(searchAttributes).map(([name, type]) => [name, typeNames[type]]),
);
