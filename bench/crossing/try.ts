import { l2nAgainstProxy } from './crossingBench.ts';
for (const e of ['xml'] as const) console.log(JSON.stringify(await l2nAgainstProxy(e, 5), (_k,v)=>typeof v==='number'?Math.round(v*1000)/1000:v));
setTimeout(() => process.exit(0), 1500);
