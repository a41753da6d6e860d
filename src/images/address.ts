import { BlockList, isIPv4, isIPv6 } from 'node:net';

/**
 * What is no address of the public internet: the registries of special-purpose addresses of IANA
 * (https://www.iana.org/assignments/iana-ipv4-special-registry, RFC 6890), and multicast.
 */
const specialIPv4 = blockList('ipv4', [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
]);

/** All of IPv6 that is routed today. */
const globalUnicast = blockList('ipv6', [['2000::', 3]]);

/** In it: protocol assignments with Teredo, documentation, 6to4, which carries an IPv4 address, and segment routing. */
const specialIPv6 = blockList('ipv6', [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
]);

/** IPv4 in IPv6: mapped addresses (RFC 4291), and those of NAT64 (RFC 6052), which DNS64 makes of public ones. */
const carriers = [blockList('ipv6', [['::ffff:0:0', 96]]), blockList('ipv6', [['64:ff9b::', 96]])];

/**
 * Whether an address is one of the public internet, so that what answers there is no part of the cluster or its cloud.
 *
 * @param address An IPv4 or IPv6 address as text, without brackets; anything else is not public.
 */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !specialIPv4.check(address, 'ipv4');
  if (!isIPv6(address) || address.includes('%')) return false;
  if (carriers.some((carrier) => carrier.check(address, 'ipv6')))
    return isPublicAddress(lastFourBytes(address));
  return globalUnicast.check(address, 'ipv6') && !specialIPv6.check(address, 'ipv6');
}

/** The last 32 bits of an IPv6 address as an IPv4 one. */
function lastFourBytes(address: string): string {
  const [, dotted] = /:(\d+\.\d+\.\d+\.\d+)$/.exec(address) ?? [];
  if (dotted !== undefined) return dotted;
  // The parser of URLs writes every address in one way: no dots, `::` for the longest run of zeros.
  const { hostname } = new URL(`http://[${address}]`);
  const groups = hostname.slice(1, -1).split(':');
  const last = (groups.at(-1) || '0').padStart(4, '0');
  const beforeLast = (groups.at(-2) || '0').padStart(4, '0');
  return [beforeLast.slice(0, 2), beforeLast.slice(2), last.slice(0, 2), last.slice(2)]
    .map((byte) => Number.parseInt(byte, 16))
    .join('.');
}

function blockList(
  family: 'ipv4' | 'ipv6',
  subnets: readonly (readonly [net: string, prefix: number])[],
): BlockList {
  const list = new BlockList();
  for (const [net, prefix] of subnets) list.addSubnet(net, prefix, family);
  return list;
}
