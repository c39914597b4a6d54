/** The address of a call to `fetch`, in whatever form it was given. */
export const urlOf = (input: Parameters<typeof fetch>[0]): string =>
  input instanceof Request ? input.url : input.toString();
