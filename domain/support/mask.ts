/** `ana@example.test` as `a…@example.test`: enough to know it again for who has it, and no more. */
export function maskEmail(address: string): string {
  return `${address.slice(0, 1)}…${address.slice(address.lastIndexOf('@'))}`;
}

/** `+4915112345617` as `+49…17`. */
export const maskPhone = (number: string): string => `${number.slice(0, 3)}…${number.slice(-2)}`;
