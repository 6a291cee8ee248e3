-- What is wrong with a batch, in words, looked for only when something is: its amounts, its accounts, an overdraft, now or in between.

-- How a batch is refused when something is wrong with its amounts: looked for only when something is.
CREATE OR REPLACE FUNCTION books.refuse_amounts(p_key text, p_accounts bigint[], p_amounts numeric[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  v_entry record;
BEGIN
  SELECT g.account, g.amount, g.ord INTO v_entry
  FROM unnest(p_accounts, p_amounts) WITH ORDINALITY g(account, amount, ord)
  WHERE (abs(g.amount) < 1e30 AND scale(g.amount) <= 18) IS NOT TRUE ORDER BY g.ord LIMIT 1;
  IF NOT FOUND THEN RETURN; END IF;
  PERFORM books.refuse('the amount ' || coalesce(v_entry.amount::text, 'NULL') || ' is not possible',
    'batch ' || p_key || ', entry ' || v_entry.ord,
    'an amount has at most 18 decimals and is below 10^30');
END $$;

-- Says which account is unknown or not open.
CREATE OR REPLACE FUNCTION books.refuse_accounts(p_key text, p_accounts bigint[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_bad record;
BEGIN
  SELECT g.account, g.ord, a.code, a.status INTO v_bad FROM unnest(p_accounts) WITH ORDINALITY g(account, ord)
  LEFT JOIN books.accounts a ON a.id = g.account WHERE a.id IS NULL OR a.status <> 'open' ORDER BY g.ord LIMIT 1;
  PERFORM books.refuse(
    CASE WHEN v_bad.code IS NULL THEN 'there is no account ' || v_bad.account ELSE 'the account ' || v_bad.code || ' is ' || v_bad.status END,
    'batch ' || p_key || ', entry ' || v_bad.ord, 'see `junbikin books accounts`');
END $$;

-- Says which segregated account would be overdrawn, and by how much.
CREATE OR REPLACE FUNCTION books.refuse_overdrawn(p_key text, p_accounts bigint[], p_amounts numeric[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  v_bad record;
BEGIN
  SELECT a.code, a.asset, books.balance(a.id) AS after, g.amount INTO v_bad
  FROM (SELECT account, sum(amount) AS amount FROM unnest(p_accounts, p_amounts) e(account, amount) GROUP BY account) g
  JOIN books.accounts a ON a.id = g.account JOIN books.owners o ON o.owner = a.owner
  WHERE NOT o.may_overdraw AND g.amount < 0 AND books.balance(a.id) < 0 ORDER BY a.code LIMIT 1;
  PERFORM books.refuse(
    'the account ' || v_bad.code || ' holds ' || trim_scale(v_bad.after - v_bad.amount) || ' ' || v_bad.asset || ', ' || trim_scale(-v_bad.amount) || ' is asked for',
    'batch ' || p_key, 'segregated accounts are never overdrawn: fund it first, or ask for less');
END $$;

-- A batch that is effective before something already posted must not overdraw a segregated account at any time since.
CREATE OR REPLACE FUNCTION books.check_late(p_key text, p_effective_at timestamptz, p_accounts bigint[], p_amounts numeric[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  v_paying record;
  v_before numeric;
  v_low record;
BEGIN
  FOR v_paying IN
    SELECT a.id, a.code, a.asset FROM (SELECT account, sum(amount) AS amount FROM unnest(p_accounts, p_amounts) e(account, amount) GROUP BY account) g
    JOIN books.accounts a ON a.id = g.account JOIN books.owners o ON o.owner = a.owner
    WHERE NOT o.may_overdraw AND g.amount < 0 AND a.lanes > 1
  LOOP
    v_before := books.balance(v_paying.id, p_effective_at);
    SELECT r.effective_at INTO v_low FROM (
      SELECT p_effective_at AS effective_at, v_before AS running
      UNION ALL
      SELECT b.effective_at, v_before + sum(b.amount) OVER (ORDER BY b.effective_at RANGE UNBOUNDED PRECEDING)
      FROM books.balances b
      WHERE b.account = v_paying.id AND b.recorded_at >= p_effective_at AND b.effective_at > p_effective_at) r
    WHERE r.running < 0 ORDER BY r.effective_at LIMIT 1;
    IF FOUND THEN
      PERFORM books.refuse(
        'the account ' || v_paying.code || ' would have been overdrawn at ' || books.instant(v_low.effective_at), 'batch ' || p_key,
        'segregated accounts are never overdrawn, at no time: post what came in before first');
    END IF;
  END LOOP;
END $$;
