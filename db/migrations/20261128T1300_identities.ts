import type { Knex } from 'knex';

/** Whom providers elsewhere know a person as, and what is open of their sign-ins. A person may have no password now. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    -- Null: there is none, and nobody signs in with one. A mailed link sets a first one.
    alter table users alter column password_hash drop not null;

    create table identities (
      user_id uuid not null,
      -- What the deployment calls the provider: of each a person has one.
      provider text not null,
      -- What the provider calls itself, and the person: this pair alone says who it is, never an address.
      issuer text not null,
      subject text not null,
      -- For the eye: what the provider said last. Nothing is decided by it.
      email text,
      display_name text,
      created_at timestamptz not null,
      last_used_at timestamptz,
      primary key (user_id, provider)
    );
    create unique index identities_subject on identities (issuer, subject);

    -- What was begun elsewhere and goes on here, once. Its token is known to whom it was given, and here by its hash.
    create table oauth_tickets (
      token_hash bytea primary key,
      purpose text not null check (purpose in ('transaction', 'begin_link', 'sign_in', 'link')),
      -- Whose it is; null of a transaction, which is only kept to be over.
      user_id uuid,
      -- The hash of what only the app knows that began; null where it named none.
      challenge bytea,
      -- Where a link to be begun leads back to, or whom the provider says it is.
      about jsonb not null default '{}',
      expires_at timestamptz not null,
      used_at timestamptz
    );
    create index oauth_tickets_expired on oauth_tickets (expires_at);
    create index oauth_tickets_of_user on oauth_tickets (user_id) where user_id is not null;

    grant select, insert, update, delete on identities, oauth_tickets to homing_app;
  `);
}

/** Migrations go forward only: what a release added is taken away by a later migration, never by an untried way back. */
export async function down(): Promise<void> {
  throw new Error('Migrations go forward only; write a new one.');
}
