import { Dm2Client, LegacyDevice } from '../../simulator/index.ts';

/** A simulated device of either generation, as the demo drives it. */
export interface Actor {
  readonly label: string;
  readonly generation: 'dm1' | 'dm2';
  readonly device: LegacyDevice | Dm2Client;
}

export interface Account {
  readonly id: string;
  readonly username: string;
  readonly password: string;
}

/** One device of each kind that fleets have; all three hold the same objects. */
export function actors(url: string): readonly { actor: Actor; account: Account }[] {
  const account = (id: string, password: string): Account => ({
    id,
    username: `user-${id.slice(-1)}`,
    password,
  });
  const xml = account('IMEI:493005100592801', 'first demo password');
  const wbxml = account('IMEI:493005100592802', 'second demo password');
  const modern = account('IMEI:493005100592803', 'third demo password');
  const legacy = ({ id, username, password }: Account, encoding: 'xml' | 'wbxml') =>
    new LegacyDevice({ url, deviceId: id, encoding, auth: { type: 'md5', username, password } });
  const client = new Dm2Client({
    url,
    deviceId: modern.id,
    auth: { type: 'basic', username: modern.username, password: modern.password },
  });
  return [
    { actor: { label: 'DM 1.2, XML', generation: 'dm1', device: legacy(xml, 'xml') }, account: xml },
    { actor: { label: 'DM 1.2, WBXML', generation: 'dm1', device: legacy(wbxml, 'wbxml') }, account: wbxml },
    { actor: { label: 'DM 2.0', generation: 'dm2', device: client }, account: modern },
  ];
}
