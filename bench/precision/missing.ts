interface Missing {
  readonly device: string
  readonly dtype: string
  readonly reason: string
}

/** What is missing on a device for the same reason, together. */
export function byReason(missing: readonly Missing[]): { device: string; dtypes: string[]; reason: string }[] {
  const groups: { device: string; dtypes: string[]; reason: string }[] = []
  for (const { device, dtype, reason } of missing) {
    const group = groups.find((one) => one.device === device && one.reason === reason)
    if (group) group.dtypes.push(dtype)
    else groups.push({ device, dtypes: [dtype], reason })
  }
  return groups
}
