import type { Mutant } from './mutant.ts';

const test = 'test/platform/egress.test.ts';
const client = 'platform/egress.ts';
const networks = 'platform/networks.ts';

/** Guards of requests to addresses that others have a say in. */
export const egress: readonly Mutant[] = [
  {
    name: 'egress: an address inside is not gone to',
    file: client,
    changes: [["  if (range) throw new EgressError('egress_refused', 'address', new Error(range));\n", '']],
    test,
    red: 'when all addresses of this machine were tried',
  },
  {
    name: 'egress: all addresses of a name are judged',
    file: client,
    changes: [['foreign.map(classOf).find(', 'foreign.slice(0, 1).map(classOf).find(']],
    test,
    red: 'a name that is an open address and a private one',
  },
  {
    name: 'egress: the judged address is connected to',
    file: client,
    changes: [['{ ...pinnedTo(addresses), allowH2: false, timeout }', '{ allowH2: false, timeout }']],
    test,
    red: 'when the machine would find another address than was judged',
  },
  {
    name: 'egress: what is inside IPv6 is judged by what may be reached',
    file: networks,
    changes: [["  if (parsed.kind() === 'ipv6' && !isWithin(parsed, global)) return 'unassigned';\n", '']],
    test,
    red: 'address inside [::127.0.0.1]',
  },
  {
    name: 'egress: IPv4 within IPv6 is not of the open internet',
    file: networks,
    changes: [
      [
        "if (parsed.range() !== 'unicast') return",
        "if (!['unicast', 'rfc6052', '6to4'].includes(parsed.range())) return",
      ],
    ],
    test,
    red: 'address inside [2002:7f00:1::]',
  },
  {
    name: 'egress: what looks open and is a cloud’s own is known',
    file: networks,
    changes: [["  '168.63.129.16/32',\n", '']],
    test,
    red: 'address inside 168.63.129.16',
  },
  {
    name: 'egress: what is routed and of a purpose of its own is known',
    file: networks,
    changes: [["'192.31.196.0/24', ", '']],
    test,
    red: 'address inside 192.31.196.1',
  },
  {
    name: 'egress: IPv6 that ends in IPv4 is read',
    file: networks,
    changes: [['ipaddr.parse(inHexadecimal(address))', 'ipaddr.parse(address)']],
    test,
    red: 'a name that is a compatible address',
  },
  {
    name: 'egress: other ports are not gone to',
    file: client,
    changes: [
      [
        "  if (foreign.length > 0 && !openPorts.includes(to.port)) throw new EgressError('egress_refused', 'port');\n",
        "  if (foreign.length > 0) throw new EgressError('egress_failed', 'unreachable');\n",
      ],
    ],
    test,
    red: 'another port than those of the web',
  },
  {
    name: 'egress: other schemes are not spoken',
    file: client,
    changes: [
      [
        "if (url.protocol !== 'https:' && url.protocol !== 'http:') throw new EgressError('egress_refused', 'scheme');",
        '',
      ],
    ],
    test,
    red: 'file:///etc/passwd',
  },
  {
    name: 'egress: an address brings no name and no password',
    file: client,
    changes: [
      ["  if (url.username !== '' || url.password !== '') throw new EgressError('egress_refused', 'userinfo');\n", ''],
    ],
    test,
    red: 'another host before the @',
  },
  {
    name: 'egress: no redirect is followed',
    file: client,
    changes: [["redirect: 'manual'", "redirect: 'follow'"]],
    test,
    red: 'sent on by 302',
  },
  {
    name: 'egress: what unfolds is counted',
    file: client,
    changes: [["if (bytes > maxBytes) throw new EgressError('egress_failed', 'too_large');", '']],
    test,
    red: 'unfolds by brotli',
  },
  {
    name: 'egress: what comes is counted',
    file: client,
    changes: [['    maxResponseSize: maxBytes,\n', '']],
    test,
    red: 'unfolds to nothing',
  },
  {
    name: 'egress: headers are counted',
    file: client,
    changes: [['maxHeaderSize: limits.egressHeaderBytes', 'maxHeaderSize: 1_048_576']],
    test,
    red: 'when headers are as large as they may be',
  },
  {
    name: 'egress: an answer is not waited for without end',
    file: client,
    changes: [['AbortSignal.timeout(timeoutMs)', 'AbortSignal.timeout(5_000)']],
    test,
    red: 'when a byte comes now and then',
  },
  {
    name: 'egress: a host is named at a port',
    file: networks,
    changes: [['each.host === host && each.port === port', 'each.host === host']],
    test,
    red: 'when a host is named at a port',
  },
  {
    name: 'egress: providers are asked by it',
    file: 'runtime.ts',
    changes: [['    fetch: egress.fetch,\n', '    fetch,\n']],
    test: 'test/api/elsewhere-egress.test.ts',
    red: 'when it is its token_endpoint',
  },
];
