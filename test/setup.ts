import fc from 'fast-check';

/**
 * Property tests draw the same cases at every run, so that a red build is about the change and not about
 * luck; `FC_SEED=$RANDOM npm test` looks elsewhere.
 */
fc.configureGlobal({ seed: Number(process.env['FC_SEED'] ?? 20_130_601) });
