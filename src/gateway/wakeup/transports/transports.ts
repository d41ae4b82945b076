import type { TransportConfig } from '../../config/config.ts';
import { pap } from './pap.ts';
import type { Transport, TransportTools } from './transport.ts';
import { udp } from './udp.ts';
import { webhook } from './webhook.ts';

/** Every transport of the configuration by its name. */
export function makeTransports(
  configs: Readonly<Record<string, TransportConfig>>,
  tools: TransportTools,
): ReadonlyMap<string, Transport> {
  return new Map(Object.entries(configs).map(([name, config]) => [name, makeTransport(config, tools)]));
}

function makeTransport(config: TransportConfig, tools: TransportTools): Transport {
  switch (config.type) {
    case 'webhook':
      return webhook(config, tools);
    case 'pap':
      return pap(config, tools);
    case 'udp':
      return udp(config);
  }
}
