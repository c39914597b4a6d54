/** Whether the address is of this machine or of a container beside it: nothing that the sandbox tells goes further. */
export function isOwnMachine(address: string): boolean {
  const url = URL.parse(address);
  if (!url || !/^https?:$/.test(url.protocol)) return false;
  const name = url.hostname;
  // Names without a dot are those that Docker gives its services.
  return /^(localhost|.+\.localhost|127\.\d+\.\d+\.\d+|\[::1\]|[a-z][a-z0-9-]*)$/i.test(name);
}
