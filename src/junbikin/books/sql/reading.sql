-- Balances at any effective time, as known at any recorded time, without summing history.

-- In a lane both clocks rise, so the last row not later than both is found by halving.
CREATE OR REPLACE FUNCTION books.balance(p_account bigint, p_effective_at timestamptz DEFAULT 'infinity', p_known_at timestamptz DEFAULT 'infinity')
RETURNS numeric LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = books, pg_temp SET timezone = 'UTC' AS $$
DECLARE
  v_total numeric := 0;
  v_lanes int;
  v_row record;
  v_best numeric;
  v_low timestamptz;
  v_high timestamptz;
  v_middle timestamptz;
BEGIN
  SELECT lanes INTO v_lanes FROM books.accounts WHERE id = p_account;
  IF v_lanes IS NULL OR p_effective_at IS NULL OR p_known_at IS NULL THEN
    PERFORM books.refuse('there is no account ' || coalesce(p_account::text, 'NULL') || ', or no time', '', 'see `junbikin books accounts`');
  END IF;
  FOR v_lane IN 0..v_lanes - 1 LOOP
    v_best := 0;
    SELECT recorded_at, effective_at, balance INTO v_row FROM books.balances
    WHERE account = p_account AND lane = v_lane AND recorded_at <= p_known_at ORDER BY recorded_at DESC LIMIT 1;
    IF FOUND THEN
      IF v_row.effective_at <= p_effective_at THEN
        v_best := v_row.balance;
      ELSE
        -- Everything recorded by `p_effective_at` was effective by then; what was recorded later may have been.
        v_high := v_row.recorded_at - interval '1 microsecond';
        v_low := greatest(p_effective_at, '2000-01-01T00:00:00Z');  -- nothing is recorded before
        SELECT balance INTO v_row FROM books.balances
        WHERE account = p_account AND lane = v_lane AND recorded_at <= v_low ORDER BY recorded_at DESC LIMIT 1;
        IF FOUND THEN v_best := v_row.balance; END IF;
        WHILE v_low < v_high LOOP
          v_middle := v_high - (v_high - v_low) / 2;
          SELECT recorded_at, effective_at, balance INTO v_row FROM books.balances
          WHERE account = p_account AND lane = v_lane AND recorded_at <= v_middle AND recorded_at > v_low
          ORDER BY recorded_at DESC LIMIT 1;
          IF NOT FOUND THEN
            v_low := v_middle;
          ELSIF v_row.effective_at <= p_effective_at THEN
            v_low := v_middle;
            v_best := v_row.balance;
          ELSE
            v_high := v_row.recorded_at - interval '1 microsecond';
          END IF;
        END LOOP;
      END IF;
      v_total := v_total + v_best;
    END IF;
  END LOOP;
  RETURN trim_scale(v_total);
END $$;
