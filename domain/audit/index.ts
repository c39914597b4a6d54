export { type By, audit, bySystem, listAudit } from './audit.ts';
export { type AuditHead, logAuditHead, verifyAudit } from './verify.ts';
