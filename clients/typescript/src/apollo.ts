/**
 * Apollo's cache, kept from turning back: an answer that was overtaken by a newer event never puts an older state in its place.
 *
 * Apollo asks the `merge` function of a type only for objects that it embeds. What has an `id` it keeps by itself and overwrites
 * field by field, so type policies alone cannot compare revisions; this cache does, before it writes.
 */
import {
  type FieldFunctionOptions,
  InMemoryCache,
  type InMemoryCacheConfig,
  type StoreObject,
  type TypePolicies,
} from "@apollo/client/cache";

/** Frames and edges are no things of their own; what has a revision is merged by `revision` where Apollo embeds it. */
export const typePolicies: TypePolicies = {
  FeedFrame: { keyFields: false },
  Interaction: { merge: newer },
  Party: { merge: newer },
};

function newer(existing: StoreObject | undefined, incoming: StoreObject, { mergeObjects, readField }: FieldFunctionOptions): StoreObject {
  if (existing === undefined) return incoming;
  const [was, is] = [readField<number>("revision", existing), readField<number>("revision", incoming)];
  return was !== undefined && is !== undefined && is < was ? mergeObjects(incoming, existing) : mergeObjects(existing, incoming);
}

export class RevisionCache extends InMemoryCache {
  constructor(config: InMemoryCacheConfig = {}) {
    super({ ...config, typePolicies: { ...typePolicies, ...config.typePolicies } });
  }

  override write(options: Parameters<InMemoryCache["write"]>[0]): ReturnType<InMemoryCache["write"]> {
    const result = options.result as unknown;
    return super.write({ ...options, result: (result ? this.#current(result, lazily(() => this.extract())) : result) as never });
  }

  /** The same, but of each thing that is known at a higher revision, what is known of it. */
  #current(value: unknown, stored: () => Record<string, Record<string, unknown> | undefined>): unknown {
    if (Array.isArray(value)) return value.map((one) => this.#current(one, stored));
    if (value === null || typeof value !== "object") return value;
    const incoming = value as Record<string, unknown>;
    const known = typeof incoming["revision"] === "number" ? stored()[this.identify(incoming as never) ?? ""] : undefined;
    const isOld = known !== undefined && typeof known["revision"] === "number" && known["revision"] > (incoming["revision"] as number);
    return Object.fromEntries(
      Object.entries(incoming).map(([name, one]) => {
        const kept = isOld ? known[name] : undefined;
        return [name, kept !== undefined && (kept === null || typeof kept !== "object") ? kept : this.#current(one, stored)];
      }),
    );
  }
}

function lazily<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}
