export { type By, audit, bySystem, listAudit } from './audit.ts';
export { type AuditHead, verifyAudit } from './verify.ts';
