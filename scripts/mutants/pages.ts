import type { Mutant } from './mutant.ts';

const foreignPages = 'test/api/foreign-pages.test.ts';

/** Guards against pages of others, of the pages of ours, and of what is written down. */
export const pages: readonly Mutant[] = [
  {
    name: 'a body is JSON by its type, which no form has',
    file: 'api/middleware/body.ts',
    changes: [
      ["  type: 'application/json',\n", '  type: () => true,\n'],
      ["if (hasBody && !request.is('application/json'))", "if (hasBody && request.is('nothing/at-all'))"],
    ],
    test: foreignPages,
    red: 'does nothing by POST /v1/auth/register,',
  },
  {
    name: 'pages of other origins read nothing',
    file: 'api/app.ts',
    changes: [['cors({ origin: [...options.allowedOrigins],', 'cors({ origin: true,']],
    test: foreignPages,
    red: 'reads nothing even with a token, which an allowed one does, without cookies',
  },
  {
    name: 'pages of other origins begin no socket',
    file: 'realtime/handshake.ts',
    changes: [['origin === undefined || origins.has(origin)', 'origin === undefined || origins.size > 0']],
    test: foreignPages,
    red: 'begins no socket',
  },
  {
    name: 'a path of its own is no id',
    file: 'api/router.ts',
    changes: [['paths.has(request.path)) return next();', "paths.has('')) return next();"]],
    test: 'test/api/every-route.test.ts',
    red: 'a path of its own is no id of its neighbour, whatever the method',
  },
  {
    name: 'the page takes its token out of the address',
    file: 'api/routes/link-pages.ts',
    changes: [["slice(1);\nhistory.replaceState(null, '', location.pathname);", 'slice(1);']],
    test: 'test/api/link-pages.test.ts',
    red: 'set a new password by the link of the mail, once',
  },
  {
    name: 'the page takes the code of a sign-in out of the address',
    file: 'api/routes/link-pages.ts',
    changes: [['{ title, script });\n  });', '{ title });\n  });']],
    test: 'test/api/link-pages.test.ts',
    red: 'who comes back from a sign-in elsewhere, and to no app, is sent to theirs; no history keeps the code',
  },
  {
    name: 'of an error the log keeps no more than is known to be safe',
    file: 'platform/logger.ts',
    changes: [['  if (value instanceof Error) return describeError(value, depth);', '']],
    test: 'test/platform/canaries.test.ts',
    red: 'the logs of every process hold none',
  },
];
