import { openStore } from '../../src/store/store.ts';

const store = await openStore(process.argv[2] ?? '');
await store.sessions.countLive();
await store.close();
process.stdout.write('ready\n');
