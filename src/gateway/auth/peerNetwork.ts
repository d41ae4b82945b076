import ipaddr from 'ipaddr.js';

/**
 * Where a request came from, as what one party holds: an IPv4 address, or the first 64 bits of an IPv6
 * one, behind which a single host has as many addresses as it likes.
 */
export function peerNetwork(address: string | undefined): string {
  if (address === undefined || !ipaddr.isValid(address)) return '';
  const parsed = ipaddr.process(address);
  if (parsed.kind() === 'ipv4') return parsed.toString();
  return (parsed as ipaddr.IPv6).parts
    .slice(0, 4)
    .map((part) => part.toString(16))
    .join(':');
}
