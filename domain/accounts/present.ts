import type { Device, Me, User } from '../../contracts/entities/index.ts';
import type { DeviceRow } from '../../db/queries/devices.ts';
import type { PublicUserRow, UserRow } from '../../db/queries/users.ts';

export function presentMe(row: UserRow): Me {
  return {
    id: row.id,
    displayName: row.displayName,
    createdAt: row.createdAt.toISOString(),
    locale: row.locale,
    timeZone: row.timeZone,
    email: row.email === null ? null : { address: row.email, verified: row.emailVerifiedAt !== null },
    phone: row.phone === null ? null : { address: row.phone, verified: row.phoneVerifiedAt !== null },
    privacy: { tellRead: row.tellRead, tellLastSeen: row.tellLastSeen },
  };
}

export function presentUser({ id, displayName, kind, createdAt }: PublicUserRow): User {
  return { id, displayName, kind, createdAt: createdAt.toISOString() };
}

export function presentDevice(row: DeviceRow): Device {
  return {
    id: row.id,
    platform: row.platform,
    hasPushToken: row.pushToken !== null,
    pushState: row.pushState,
    pushPermission: row.pushPermission,
    pushEnabled: row.pushEnabled,
    appVersion: row.appVersion,
    locale: row.locale,
    timeZone: row.timeZone,
    lastSeenAt: row.lastSeenAt.toISOString(),
  };
}
