import ipaddr from 'ipaddr.js';

/**
 * Whether an address belongs to the public internet. Everything else (loopback, private, link-local with
 * the metadata services, multicast, carrier NAT, reserved, tunnels) is for the operator to allow by name.
 * An IPv4 address inside an IPv6 one (mapped, NAT64) is judged as what it is.
 */
export function isPublicAddress(text: string): boolean {
  if (!ipaddr.isValid(text)) return false;
  const address = ipaddr.process(text);
  if (address.kind() === 'ipv4') return isPublicV4(address as ipaddr.IPv4);
  const v6 = address as ipaddr.IPv6;
  if (v6.range() === 'rfc6052') return isPublicV4(new ipaddr.IPv4(v6.toByteArray().slice(12)));
  return v6.range() === 'unicast' && v6.match(GLOBAL_UNICAST);
}

/** The only IPv6 block that is allocated to public hosts; `::127.0.0.1` and its kind lie outside. */
const GLOBAL_UNICAST: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse('2000::'), 3];

/** Blocks that ipaddr.js counts as unicast and that lead to no public host. */
const MORE_V4: readonly [ipaddr.IPv4, number][] = [
  // IETF protocol assignments, benchmarking, documentation, 6to4 relays.
  [ipaddr.IPv4.parse('192.0.0.0'), 24],
  [ipaddr.IPv4.parse('192.88.99.0'), 24],
  [ipaddr.IPv4.parse('198.18.0.0'), 15],
];

function isPublicV4(address: ipaddr.IPv4): boolean {
  return address.range() === 'unicast' && !MORE_V4.some((block) => address.match(block));
}
