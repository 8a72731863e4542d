// Answers how many rows there are, so that the bench knows what it measured.
import { Hono } from "hono";
import { count } from "ponder";
import { db } from "ponder:api";
import { event, job } from "ponder:schema";

const app = new Hono();

app.get("/counted", async (c) => {
  const [[events], [jobs]] = await Promise.all([
    db.select({ count: count() }).from(event),
    db.select({ count: count() }).from(job),
  ]);
  return c.json({ events: events.count, jobs: jobs.count });
});

export default app;
