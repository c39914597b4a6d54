import { settings } from './config.ts';

/** The example of an environment file: every setting with its meaning and its default. Secrets stand empty. */
export function envExample(): string {
  const head = '# Every setting of Homing, generated from the configuration’s own table by `npm run gen`.\n';
  const entries = Object.entries(settings).map(([name, definition]) => {
    const {
      help,
      fallback,
      developmentFallback,
      optional,
      secret,
    }: { help: string; fallback?: string; developmentFallback?: string; optional?: boolean; secret?: boolean } =
      definition;
    const notes = [
      secret ? 'Secret.' : '',
      optional ? 'Optional.' : '',
      developmentFallback ? `In development: ${developmentFallback}` : '',
    ].filter((note) => note !== '');
    const line = `${name}=${fallback ?? ''}`;
    const commented = fallback !== undefined || optional ? `# ${line}` : line;
    return `\n# ${help}.${notes.length > 0 ? ` ${notes.join(' ')}` : ''}\n${commented}\n`;
  });
  return head + entries.join('');
}
