import type { Knex } from 'knex';

/** The rules that came since the recount was there are stamped when they change, too. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    drop trigger members_ruled on members;
    create trigger members_ruled before update of level, muted_until, mute_except on members for each row
      when ((old.level, old.muted_until, old.mute_except) is distinct from (new.level, new.muted_until, new.mute_except))
      execute function stamp_ruled_at();
    drop trigger thread_members_ruled on thread_members;
    create trigger thread_members_ruled before update of following, level on thread_members for each row
      when ((old.following, old.level) is distinct from (new.following, new.level)) execute function stamp_ruled_at();
  `);
}

/** Migrations go forward only: what a release added is taken away by a later migration, never by an untried way back. */
export async function down(): Promise<void> {
  throw new Error('Migrations go forward only; write a new one.');
}
