import type { Me, Session as Tokens } from '../contracts/entities/index.ts';
import { fullJitter } from './backoff.ts';
import { HomingError, endsSession, isUnknown, toHomingError } from './errors.ts';
import type { ClientLimits } from './limits.ts';
import { type Rest, type RestArguments, type RestInput, type RestOptions, request } from './rest.ts';
import type { Operation } from './routes.ts';
import type { ClientStorage } from './storage/storage.ts';
import type { Surroundings } from './surroundings.ts';

const key = 'session';
/** Tries of one renewal, with the same refresh token: an answer that was lost comes again. */
const renewalTries = 4;
/** Milliseconds for which a renewed token counts as fresh, whatever the clock of this machine says. */
const freshMs = 10_000;

export interface SignedIn {
  user: Me;
  session: Tokens;
}

/** What somebody is who comes in by a token for programs: there is nothing to renew it by. */
export const withToken = (user: Me, id: string, token: string): SignedIn => ({
  user,
  session: { id: id as Tokens['id'], accessToken: token, accessTokenExpiresAt: '', refreshToken: '' },
});
const isRenewed = ({ session }: SignedIn) => session.refreshToken !== '';

export interface SessionOptions extends RestOptions {
  storage: ClientStorage;
  surroundings: Surroundings;
  limits: ClientLimits;
  /** The access token changed. */
  onRenewed: (token: string) => void;
  /** The server ended the session; the tokens are gone. */
  onEnded: (why: HomingError) => void;
  onStorageError: (error: HomingError) => void;
}

/**
 * Who is signed in, and their tokens. Of several clients on one storage (the tabs of a browser) each takes what another
 * has renewed: a refresh token that was used before would end the session.
 */
export class Session {
  readonly #options: SessionOptions;
  #current: SignedIn | undefined;
  #renewing: Promise<string> | undefined;
  /** The server does not take the access token any more, whatever the clock says. */
  #distrusted = false;
  /** Milliseconds by which the server's clock is ahead of this one. */
  #ahead = 0;
  #renewedAt = 0;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  get user(): Me | undefined {
    return this.#current?.user;
  }

  /** Which one it is, whatever its tokens are by now. */
  get id(): string | undefined {
    return this.#current?.session.id;
  }

  /** Whether it is this session's person whom the storage keeps: another process may have signed in somebody else there. */
  async isKept(): Promise<boolean> {
    const kept = (await this.#store((storage) => storage.get(key))) as SignedIn | undefined;
    return kept !== undefined && kept.user.id === this.#current?.user.id;
  }

  async take(signedIn: SignedIn): Promise<void> {
    this.#current = signedIn;
    this.#distrusted = false;
    await this.#store((storage) => storage.set(key, signedIn));
  }

  /** What an earlier process has kept. */
  async resume(): Promise<Me | undefined> {
    this.#current = await this.#kept();
    return this.user;
  }

  async forget(): Promise<void> {
    const mine = this.#current;
    this.#current = undefined;
    if (mine) await this.#unkeep(mine);
  }

  setClock(serverTime: string): void {
    this.#ahead = Date.parse(serverTime) - this.#options.surroundings.now();
  }

  /** An access token that is good for a while yet. */
  async token(): Promise<string> {
    if (!this.#current) throw new HomingError('signed_out');
    const { now } = this.#options.surroundings;
    const due = this.#leftMs(this.#current) <= 0 && now() - this.#renewedAt >= freshMs;
    return this.#distrusted || due ? this.renew() : this.#current.session.accessToken;
  }

  distrust(token: string): void {
    if (token === this.#current?.session.accessToken) this.#distrusted = true;
  }

  /** Renews the tokens; whoever asks meanwhile waits for the same renewal. */
  renew(): Promise<string> {
    this.#renewing ??= this.#renew().finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  /** Renews the access token again and again before it runs out, until the signal. */
  async keepFresh(signal: AbortSignal): Promise<void> {
    const { wait, random } = this.#options.surroundings;
    for (let failures = 0; !signal.aborted && this.#current && isRenewed(this.#current); ) {
      const due = failures > 0 ? fullJitter(failures, this.#options.limits, random) : this.#leftMs(this.#current);
      await wait(Math.max(due, failures > 0 ? 0 : freshMs), signal);
      if (signal.aborted) return;
      failures = await this.renew().then(
        () => 0,
        () => failures + 1,
      );
    }
  }

  /** Calls the server as the person who is signed in, if there is one. */
  readonly call: Rest = async <Op extends Operation>(operation: Op, ...given: RestArguments<Op>) => {
    const input = (given[0] ?? {}) as RestInput<Op>;
    const asks = this.#current;
    const token = asks && (await this.#tokenOf(asks));
    try {
      const answer = await request(this.#options, operation, input, token);
      this.#expect(asks);
      return answer;
    } catch (thrown) {
      const error = toHomingError(thrown);
      if (!asks || token === undefined || error.status !== 401) throw error;
      if (endsSession(error) && this.#current?.session.id === asks.session.id) await this.end(error);
      if (error.code !== 'token_expired' && error.code !== 'unauthenticated') throw error;
      // The token was not taken: with a fresh one once more.
      this.distrust(token);
      const answer = await request(this.#options, operation, input, await this.#tokenOf(asks));
      this.#expect(asks);
      return answer;
    }
  };

  async #tokenOf(asks: SignedIn): Promise<string> {
    this.#expect(asks);
    const token = await this.token();
    this.#expect(asks);
    return token;
  }

  /** What one person has asked for is not done as another, and its answer is not for them. */
  #expect(asks: SignedIn | undefined): void {
    if (asks && this.user && this.user.id !== asks.user.id) throw new HomingError('signed_out');
  }

  /** No token of it is good any more. */
  async end(why: HomingError): Promise<void> {
    const mine = this.#current;
    if (!mine) return;
    this.#current = undefined;
    this.#options.onEnded(why);
    // What a failing storage keeps of it is refused by the server when it is shown.
    await this.#unkeep(mine);
  }

  /** A token that is not taken any more stays so: somebody has to make another one. */
  async #over(): Promise<HomingError> {
    const why = new HomingError('token_expired');
    await this.end(why);
    return why;
  }

  async #kept(): Promise<SignedIn | undefined> {
    return (await this.#store((storage) => storage.get(key))) as SignedIn | undefined;
  }

  /** Unless it is somebody else's by now, or another one was taken. */
  async #unkeep({ user }: SignedIn): Promise<void> {
    const kept = await this.#kept();
    if (kept?.user.id === user.id && !this.#current) await this.#store((storage) => storage.delete(key));
  }

  /** Without the storage the session lives as long as the process. */
  async #store<T>(use: (storage: ClientStorage) => Promise<T>): Promise<T | undefined> {
    try {
      return await use(this.#options.storage);
    } catch (cause) {
      this.#options.onStorageError(new HomingError('storage_failed', { cause }));
      return undefined;
    }
  }

  /** Milliseconds until the access token is to be renewed. */
  #leftMs(signedIn: SignedIn): number {
    if (!isRenewed(signedIn)) return Number.POSITIVE_INFINITY;
    const end = Date.parse(signedIn.session.accessTokenExpiresAt) - this.#ahead;
    return end - this.#options.limits.renewBeforeMs - this.#options.surroundings.now();
  }

  async #renew(): Promise<string> {
    const mine = this.#current;
    if (!mine) throw new HomingError('signed_out');
    if (!isRenewed(mine)) throw await this.#over();
    const kept = await this.#kept();
    const another = kept?.user.id === mine.user.id && kept.session.refreshToken !== mine.session.refreshToken;
    const latest = another ? kept : mine;
    const done = another && this.#leftMs(latest) > 0 ? latest : await this.#trade(latest);
    // Signed out, or in anew, meanwhile.
    if (this.id !== mine.session.id) throw new HomingError('signed_out');
    // Kept before it is used: a process that dies now finds the token whose turn it is.
    const isMine = kept === undefined || kept.user.id === mine.user.id;
    if (done !== kept && isMine) await this.#store((storage) => storage.set(key, done));
    this.#current = done;
    this.#distrusted = false;
    this.#renewedAt = this.#options.surroundings.now();
    this.#options.onRenewed(done.session.accessToken);
    return done.session.accessToken;
  }

  /** Trades the refresh token for the next one; the same one again while no answer comes. */
  async #trade({ user, session: { refreshToken } }: SignedIn): Promise<SignedIn> {
    const { surroundings, limits } = this.#options;
    for (let attempt = 0; ; attempt += 1) {
      try {
        return { user, ...(await request(this.#options, 'refresh', { body: { refreshToken } })) };
      } catch (thrown) {
        const error = toHomingError(thrown);
        // Not known: the session was cleaned away long ago.
        if (endsSession(error) || error.code === 'invalid_credentials') await this.end(error);
        if (!this.#current || !isUnknown(error) || attempt + 1 >= renewalTries) throw error;
        await surroundings.wait(error.retryAfterMs ?? fullJitter(attempt, limits, surroundings.random));
      }
    }
  }
}
