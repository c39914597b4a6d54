import type { IRouter, Request, Response } from 'express';
import type { Deps, ReportDoor } from '../../domain/deps.ts';
import { takeReports } from '../../domain/attention/index.ts';
import { DomainError } from '../../domain/errors.ts';
import { readUntouched } from '../middleware/body.ts';
import { limitReports } from '../middleware/limit-reports.ts';
import type { ApiOptions } from '../options.ts';

/**
 * What providers report of mails and texts, and what people answer to a text. Nobody signs in here: the signature over every
 * byte is what counts, so the body is read as it came. What is signed is answered with 2xx, understood or not.
 */
export function providerRoutes(router: IRouter, deps: Deps, options: ApiOptions): void {
  const limited = (source: ReportDoor['source']) => limitReports(source, () => options.countReports(source, 'limited'));
  const byProvider = { sendgrid: limited('sendgrid'), twilio: limited('twilio') };
  for (const [path, door] of Object.entries(options.reportDoors))
    router.post(path, byProvider[door.source], readUntouched, (request, response) =>
      take(deps, door, options, request, response),
    );
}

async function take(
  deps: Deps,
  door: ReportDoor,
  { countReports }: ApiOptions,
  request: Request,
  response: Response,
): Promise<void> {
  response.locals.operation = `${door.source}Reports`;
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  const post = { header: (name: string) => request.get(name), body, pathAndQuery: request.originalUrl };
  const taken = await takeReports(deps, door, post);
  countReports(door.source, taken);
  if (taken === 'refused')
    throw new DomainError('forbidden', { detail: 'The signature is not that of the provider with a key of ours.' });
  // To a text Twilio would answer with whatever stands here.
  response.status(204).end();
}
