export { keyTimes, keysThatVerify, listKeys, rotateKeys, tendKeys } from './keys.ts';
