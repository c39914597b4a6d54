export * from './common.ts';
export * from './conversation.ts';
export * from './device.ts';
export * from './event.ts';
export * from './message.ts';
export * from './notification-settings.ts';
export * from './sync.ts';
export * from './user.ts';
