// Ray Serve's default autoscaling rules, counted plainly: one decision each 0.1 s, which must hold for
// as many of them in a row as fit into the delay.

export const kPeriodMs = 100;

/**
 * The target at each sample, for replicas that are ready startMs after they were asked for.
 * samples: [{ms, requests}], one each kPeriodMs; config: Ray's autoscaling_config, whole.
 */
export function simulate(samples, config, startMs) {
  let target = 0;
  let count = 0;
  let ready = 0;
  let askedMs = 0;
  const periods = (seconds) => Math.round(seconds * 1000 / kPeriodMs);
  return samples.map(({ ms, requests }, index) => {
    const before = target;
    if (target < ready || (target > ready && ms - askedMs >= startMs)) ready = target;
    decide(ms, requests, index);
    if (target > before) askedMs = ms;
    return target;
  });

  function decide(ms, requests, index) {
    if (ready === 0) {
      count = 0;
      if (requests > 0) target = Math.max(Math.ceil(config.upscaling_factor ?? 1), target);
      return;
    }
    const seen = samples.slice(0, index + 1).filter((sample) => ms - sample.ms <= config.look_back_period_s * 1000);
    const mean = seen.reduce((sum, sample) => sum + sample.requests, 0) / seen.length;
    const wanted = mean / config.target_ongoing_requests;
    const factor = wanted > ready ? config.upscaling_factor ?? 1 : config.downscaling_factor ?? 1;
    let desired = Math.ceil(ready + factor * (wanted - ready));
    if (Math.ceil(wanted) < ready && desired === ready) --desired;
    desired = Math.max(config.min_replicas, Math.min(config.max_replicas, desired));
    if (desired > target) {
      count = Math.max(count, 0) + 1;
      if (count > periods(config.upscale_delay_s)) [count, target] = [0, desired];
    } else if (desired < target) {
      count = Math.min(count, 0) - 1;
      const delayS = target === 1 ? config.downscale_to_zero_delay_s ?? config.downscale_delay_s : config.downscale_delay_s;
      if (-count > periods(delayS)) [count, target] = [0, target === 1 ? desired : Math.max(1, desired)];
    } else {
      count = 0;
    }
  }
}

/** [{ms, from, to}] of a row of targets. */
export function changesOf(samples, targets) {
  const changes = [];
  for (let i = 1; i < targets.length; ++i) {
    if (targets[i] !== targets[i - 1]) changes.push({ ms: samples[i].ms, from: targets[i - 1], to: targets[i] });
  }
  return changes;
}
