import type { NextFunction, Request, Response } from 'express';
import passport from 'passport';
import { Strategy as BearerStrategy } from 'passport-http-bearer';
import { Strategy as LocalStrategy } from 'passport-local';
import type { SecondFactorNeeded } from '../../contracts/entities/index.ts';
import type { SignedIn } from '../../contracts/rest/auth.ts';
import { login } from '../../domain/accounts/index.ts';
import type { Actor } from '../../domain/deps.ts';
import { DomainError } from '../../domain/errors.ts';
import type { ApiOptions } from '../options.ts';

export type Authenticate = (request: Request, response: Response, next: NextFunction) => Promise<Actor>;

type LoginDeps = Parameters<typeof login>[0];

/**
 * Who asks, by passport's strategies: `bearer` for every call, `local` for the sign-in. Each later way in is one more
 * strategy here. There are no sessions in passport's sense and no cookies.
 */
export function createPassport(
  deps: LoginDeps,
  { authenticate, addressOf }: Pick<ApiOptions, 'authenticate' | 'addressOf'>,
): {
  authenticate: Authenticate;
  signIn: (...asked: Parameters<Authenticate>) => Promise<SignedIn | SecondFactorNeeded>;
} {
  const authenticator = new passport.Passport();
  authenticator.use(
    new BearerStrategy((token, done) => {
      try {
        const who = authenticate(token);
        if (who instanceof Promise) who.then((read) => done(null, read), done);
        else done(null, who);
      } catch (error) {
        done(error);
      }
    }),
  );
  authenticator.use(
    new LocalStrategy(
      { usernameField: 'identifier', passReqToCallback: true },
      (request, identifier, password, done) => {
        const { deviceName } = request.body as { deviceName?: string };
        login(deps, { identifier, password, deviceName }, addressOf(request)).then(
          (signedIn) => done(null, signedIn),
          (error: unknown) => done(error),
        );
      },
    ),
  );
  const run =
    <Result>(strategy: string) =>
    (request: Request, response: Response, next: NextFunction) =>
      new Promise<Result>((resolve, reject) => {
        const settle = (error: unknown, result: Result | false | null) => {
          if (error) reject(error);
          else if (result) resolve(result);
          else reject(new DomainError('unauthenticated'));
        };
        authenticator.authenticate(strategy, { session: false }, settle)(request, response, next);
      });
  const bearer = run<Actor>('bearer');
  return {
    // The strategy would take a token from the query as well, where every log on the way keeps it.
    authenticate: async (request, response, next) => {
      if (!/^bearer /i.test(request.get('authorization') ?? '')) throw new DomainError('unauthenticated');
      return bearer(request, response, next);
    },
    signIn: run<SignedIn | SecondFactorNeeded>('local'),
  };
}
