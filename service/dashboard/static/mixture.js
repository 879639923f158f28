// Mixtures as arrays of shares that sum to 1.

// One domain gets a share; what is left over goes to those that are free, in the proportions that they have.
// Where they have nothing, the prior's proportions count, and where that has nothing either, all are equal.
export function moved(shares, locked, at, wanted, prior) {
  const free = shares.map((_, other) => other !== at && !locked[other]);
  const sum = (values) => values.reduce((total, value, other) => total + (free[other] ? value : 0), 0);
  if (!free.includes(true)) return shares; // nobody to take from or to give to
  const held = shares.reduce((total, value, other) => total + (other !== at && locked[other] ? value : 0), 0);
  const room = Math.max(0, 1 - held);
  const share = Math.min(Math.max(wanted, 0), room);
  const proportions = [shares, prior, shares.map(() => 1)].find((values) => sum(values) > 0);
  const scale = (room - share) / sum(proportions);
  return shares.map((value, other) => {
    if (other === at) return share;
    return free[other] ? proportions[other] * scale : value;
  });
}
