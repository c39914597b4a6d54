import { z } from 'zod';

const Uuid = z.uuid();

/** Our attempt's id, as a provider gives it back; null for anything else. */
export const attemptIdOf = (value: unknown): string | null => Uuid.safeParse(value).data ?? null;
