import assert from 'node:assert/strict';
import { Problem } from '../../contracts/errors.ts';

export interface Answer<Body = unknown> {
  status: number;
  body: Body;
  headers: Headers;
}

/** What one person asks, in the words of REST. */
export type Ask = <Body = Record<string, never>>(
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
) => Promise<Answer<Body>>;

/** One REST call, as any client makes it. */
export async function call<Body = Record<string, never>>(
  url: string,
  method: string,
  path: string,
  { token, body, headers = {} }: { token?: string | undefined; body?: unknown; headers?: Record<string, string> } = {},
): Promise<Answer<Body>> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: (text === '' ? undefined : JSON.parse(text)) as Body,
  };
}

/** The call succeeded with that status; answers with the body. */
export function expectStatus<Body>(answer: Answer<Body>, status: number): Body {
  assert.equal(answer.status, status, JSON.stringify(answer.body));
  return answer.body;
}

/** The call was refused with that code, in the shape that every refusal has. Answers with the faults' paths. */
export function expectProblem(answer: Answer, status: number, code: string): string[] {
  assert.equal(answer.status, status, JSON.stringify(answer.body));
  assert.match(answer.headers.get('content-type') ?? '', /^application\/problem\+json/);
  const problem = Problem.parse(answer.body);
  assert.equal(problem.code, code);
  assert.equal(problem.requestId, answer.headers.get('x-request-id'));
  return (problem.errors ?? []).map(({ path }) => path);
}
