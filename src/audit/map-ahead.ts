/**
 * Does something with each item, several at a time, and hands over what comes of it in the order of the items. No more
 * than so many items are held at once, however many there are.
 *
 * @param items The items; they are taken as there is room.
 * @param ahead How many may be worked on before the one that is handed over next; 0 for one at a time.
 * @param work What is done.
 * @throws what `items` or `work` throws.
 */
export async function* mapAhead<Item, Outcome>(
  items: AsyncIterable<Item> | Iterable<Item>,
  ahead: number,
  work: (item: Item) => Promise<Outcome>,
): AsyncGenerator<Outcome> {
  const begun: Promise<Outcome>[] = [];
  for await (const item of items) {
    const outcome = work(item);
    // Whoever takes the outcome hears of it; until then it is nobody's unhandled rejection.
    outcome.catch(() => {});
    begun.push(outcome);
    const next = begun.length > ahead ? begun.shift() : undefined;
    if (next) yield await next;
  }
  for (const outcome of begun) yield await outcome;
}
