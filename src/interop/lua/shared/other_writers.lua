--[[ other_writers: takes what demo apps have written to a room into its log. A part of room_log, after log_append. Uses the script's keys
     foreign and own, watched (1 if a consumer wants all messages of this room), heard (score of an announced message, or '') and order
     (digests of the messages announced at that score, in the order of announcement).

     The demo apps add to `room`, and do not write to the log. So the first script that runs after them adopts their messages: it gives each
     its place in the log, once. While the room has exactly `known` members, nothing is new. `foreign` has the digests of demo apps'
     messages; in a room of an existing database only from the score `since` upward. A message in that range that is not in `foreign` is
     new; a message that may be old never counts as new. If new messages cannot be found, the log restarts, because otherwise it would have
     a silent gap. If an app stored a message a moment ago and has not announced it yet, the script waits for that: it fails with `unheard`,
     and the caller runs it again. `awaited` holds two times (µs): the end of that wait, and its latest possible end. `at:DIGEST` holds the
     score to which a member was moved; `dated` is set once all scores in milliseconds are converted. `puzzle` is the number of new members
     that could not be found; `deadline` (µs) is the end of the time in which an app may still announce them. ]]
-- Distinguishes a member from others at its score.
local function digest(member)
  local COMPARED = 1024 -- bytes, besides its length
  return string.sub(redis.sha1hex(string.sub(member, 1, COMPARED) .. #member), 1, 16)
end

-- A score in the form that entries of `own` and `mentioned` contain: microseconds, in 16 digits.
local function micros_of(score)
  return string.format('%016.0f', math.min(math.max(score * 1000000, 0), 9999999999999999))
end

-- part: message_id
-- part: reader

-- The number of members of the room; nil if the key holds another type.
local stored = redis.pcall('ZCARD', room)
if type(stored) ~= 'number' then
  stored = nil
elseif stored ~= (known or 0) or heard ~= '' or since or (stored > 0 and not dated) then
  local SMALL = 100        -- members of a room seen for the first time: up to this many are new; of more, as in an existing database, none
  local LOOKED_AT = 1000   -- members searched for new ones in one call
  local INDEXED = 100      -- members of an existing database that each further call adds to `foreign`
  local BUDGET = 1000000   -- bytes searched in one call
  local YOUNG = 60         -- seconds; a room whose oldest message is younger is new, and an app may still announce a younger message
  local OF_NOW = 5         -- seconds by which the date of a message of this moment may be off
  local AHEAD = 86400      -- seconds; members dated further ahead are searched after the others
  local PATIENCE = 3000000 -- microseconds in which an app may still announce messages that cannot be found
  local SOON = 250000      -- microseconds to wait after the last announcement for an app to announce a message that it stored
  local LATEST = 1000000   -- microseconds to wait for such announcements in total

  -- Invalidates every position that clients have, including that of an empty room.
  local function begin_anew()
    redis.call('DEL', log)
    seq, epoch, last = seq + 1, new_epoch, next_time()
    redis.call('HSET', meta, 'seq', seq, 'epoch', epoch, 'time', string.format('%.0f', last))
    -- Subscribers see that this event does not continue theirs, read the log, and start again.
    redis.call('SPUBLISH', room, string.format('{"seq":%d,"epoch":"%s","kind":"log.begun","at":%.0f}', seq, epoch, last))
  end

  local function author(member)
    local readable, fields = pcall(cjson.decode, member)
    local from = readable and type(fields) == 'table' and (fields.from or fields.From)
    local user = (type(from) == 'string' or type(from) == 'number') and string.match(from, '^%d+$')
    return user and #user <= 15 and user or nil
  end

  -- Records the author of a demo app's message, for whom it does not count as unread. Returns the author.
  local function note_author(member, score)
    local user = author(member)
    if user then redis.call('ZADD', own, 0, user .. ':' .. micros_of(score) .. ':' .. digest(member)) end
    return user
  end

  local function remember(member, score)
    redis.call('SADD', foreign, digest(member))
    return note_author(member, score)
  end

  local moved = {} -- members that an app moved back, and their right scores
  local aside = {} -- members that are too long
  local budget, exhausted, progress = BUDGET, false, false

  -- The new members of demo apps among { member, score, … }, at most `most`; none below `since`, where new and old ones look the same.
  local function strangers(members, most)
    local found = {}
    for index = 1, #members, 2 do
      if #found == most then break end
      local member, score = members[index], members[index + 1]
      if not is_ours(member) and (not since or tonumber(score) >= tonumber(since)) then
        local name = digest(member)
        if redis.call('SISMEMBER', foreign, name) == 0 then
          local list = #member > LONGEST and aside or found
          list[#list + 1] = { member, score }
        else
          local at = redis.call('HGET', meta, 'at:' .. name)
          if at and tonumber(at) ~= tonumber(score) then moved[#moved + 1] = { member, at } end
        end
      end
    end
    return found
  end

  -- The new members from one score down to another, at most `most`, oldest first.
  local function strangers_between(high, low, most)
    local newest_first, looked_at, step, near, offset = {}, 0, 10, high, 0
    while near and #newest_first < most and looked_at < LOOKED_AT do
      if budget <= 0 then
        exhausted = true
        break
      end
      local members, bytes
      members, near, offset, bytes = read(near, low, true, step, budget, offset)
      for _, stranger in ipairs(strangers(members, most - #newest_first)) do newest_first[#newest_first + 1] = stranger end
      budget, looked_at, step = budget - bytes, looked_at + #members / 2, 100
    end
    local found = {}
    for index = #newest_first, 1, -1 do found[#found + 1] = newest_first[index] end
    return found
  end

  -- Accounts for members that are too long, without an event.
  local function set_all_aside()
    for _, member in ipairs(aside) do set_aside(unpack(member)) end
    local count = #aside
    progress = progress or count > 0
    aside = {}
    return count
  end

  --[[ Gives a member its place in the log. A message of this moment gets the same place in the room: its score becomes the time of the
       event, not the second by its author's clock. So history, subscribers and the demo apps, which read only the order, agree. ]]
  local function adopt_one(member, score)
    local at = next_time()
    local seconds = meant(score)
    if math.abs(seconds - clock[1]) <= OF_NOW then
      score = move(member, string.format('%d.%06d', math.floor(at / 1000000), at % 1000000))
    elseif seconds ~= tonumber(score) then
      score = move(member, string.format('%.3f', seconds))
    end
    -- Without this field, the score is the time of the event in the log.
    if tonumber(micros_of(score)) ~= at then redis.call('HSET', meta, 'told:' .. foreign_id(member, score), string.format('%.0f', at)) end
    append('message.added', at, string.format('"foreign":{"score":"%s","member":%s}', score, cjson.encode(member)))
    remember(member, score)
    -- Names are in other slots, so a server looks up whom it mentions, and which consumers want it. Until then this entry remains.
    if watched == '1' or string.find(member, '@', 1, true) or string.find(member, '＠', 1, true) or string.find(string.lower(member), '\\uff20', 1, true) then
      redis.call('ZADD', own, 0, '@:' .. micros_of(score) .. ':' .. digest(member))
    end
  end

  local function adopt(found)
    progress = progress or #found > 0
    local is_group = #found > 0 and redis.call('HEXISTS', meta, 'mayInvite') == 1
    local low, high = string.match(room, '^room:(%d+):(%d+)$')
    local blocks = low and #found > 0 and redis.call('HMGET', meta, 'blocked:' .. low, 'blocked:' .. high)
    local is_blocked = blocks and (blocks[1] or blocks[2])
    for _, stranger in ipairs(found) do
      local member, score = unpack(stranger)
      local user = (is_group or low) and author(member)
      local is_outsider
      if is_group then
        is_outsider = not user or redis.call('HEXISTS', meta, 'joined:' .. user) == 0
      else
        -- Older messages came with an existing database, and stay.
        is_outsider = low and user and (is_blocked or user ~= low and user ~= high) and math.abs(meant(score) - clock[1]) <= YOUNG
      end
      if is_outsider then
        -- The apps do not check membership, so any user of theirs can write to any room.
        redis.call('ZREM', room, member)
        stored = stored - 1
      else
        known = known + 1
        adopt_one(member, score)
      end
    end
  end

  local waiting = false
  local till, limit = string.match(awaited or '', '^(%d+) (%d+)$')
  local over = till and (now >= tonumber(till) or now + LATEST < tonumber(till))

  -- The members that need no further wait. An app stores a burst before it announces it, and only announcements have an order.
  local function ripe(found)
    local taken = {}
    for _, stranger in ipairs(found) do
      if over or math.abs(meant(stranger[2]) - clock[1]) > YOUNG then taken[#taken + 1] = stranger else waiting = true end
    end
    return taken
  end

  -- Adds further members of an existing database to `foreign`, newest first, all members of a score together.
  local function index(most)
    local members, more = read(since and '(' .. since or '+inf', '-inf', true, most, BUDGET)
    local lowest = members[#members]
    if more then
      if #members > 0 and members[2] == lowest then members = redis.call('ZRANGE', room, lowest, lowest, 'BYSCORE', 'WITHSCORES') end
      if #members > 0 and members[2] ~= lowest then
        while members[#members] == lowest do members[#members], members[#members - 1] = nil, nil end
        lowest = members[#members]
      end
      since = lowest or string.gsub(more, '^%(', '')
      redis.call('HSET', meta, 'since', since)
    else
      since = nil
      redis.call('HDEL', meta, 'since')
    end
    for at = 1, #members, 2 do
      if #members[at] > LONGEST then
        set_aside(members[at], members[at + 1])
      elseif not is_ours(members[at]) then
        remember(members[at], members[at + 1])
      end
    end
  end

  -- Converts scores in milliseconds that were stored before Palaver read this room.
  if not dated then
    local members, more = read('(100000000000', '(100000000000000', false, LOOKED_AT, BUDGET)
    for at = 1, #members, 2 do
      local member, score = members[at], members[at + 1]
      if not is_ours(member) then
        local user = #member <= LONGEST and author(member)
        move(member, string.format('%.3f', meant(score)))
        if user and redis.call('ZREM', own, user .. ':' .. micros_of(score) .. ':' .. digest(member)) == 1 then note_author(member, meant(score)) end
      end
    end
    if stored > 0 and not more then redis.call('HSET', meta, 'dated', 1) end
  end

  if not known and stored > SMALL then
    begin_anew()
    known = stored
    index(LOOKED_AT)
  else
    if not known then
      local found = strangers_between('+inf', '-inf', stored)
      if set_all_aside() > 0 and exhausted then return redis.error_reply('unheard messages behind long ones') end
      if exhausted then
        budget, exhausted = math.huge, false
        found = strangers_between('+inf', '-inf', stored)
      end
      -- The room has messages of Palaver, and its metadata was lost: a client may have the position of the empty room.
      if #found + redis.call('ZLEXCOUNT', own, unpack(SET_ASIDE)) < stored then begin_anew() end
      -- The room's first messages: 0 until a server has notified the users.
      if #found == stored and stored > 0 and meant(found[1][2]) > clock[1] - YOUNG then redis.call('HSETNX', meta, 'shown', 0) end
      known = stored - #found
      budget = BUDGET
    end

    local late = deadline and now >= tonumber(deadline)
    local puzzled = tonumber(puzzle) == stored - known
    local told = false
    -- Search for announced messages even if the count fits: other programs may have removed members at the same time.
    if heard ~= '' then
      local said, others, places = {}, {}, {}
      for _, stranger in ipairs(strangers_between(heard, math.floor(heard), LOOKED_AT)) do
        local place = string.find(order, digest(stranger[1]), 1, true)
        local list = place and said or others
        list[#list + 1] = stranger
        if place then places[stranger] = place end
      end
      table.sort(said, function(one, other) return places[one] < places[other] end)
      told = #said > 0
      known = known + set_all_aside()
      adopt(said)
      adopt(ripe(others))
    end
    if stored ~= known and (not puzzled or late) then
      local most = stored > known and stored - known or LOOKED_AT
      local found = strangers_between(clock[1] + AHEAD, '-inf', most)
      local left = most - #found
      if left > 0 then for _, stranger in ipairs(strangers_between('+inf', '(' .. clock[1] + AHEAD, left)) do found[#found + 1] = stranger end end
      known = known + set_all_aside()
      adopt(ripe(found))
    end
    if exhausted and progress then
      redis.call('HSET', meta, 'known', known)
      return redis.error_reply('unheard messages behind long ones')
    end
    for _, member in ipairs(moved) do move(unpack(member)) end
    if waiting then
      if not till or told then
        limit = limit or string.format('%.0f', now + LATEST)
        redis.call('HSET', meta, 'known', known, 'awaited', string.format('%.0f %s', math.min(now + SOON, tonumber(limit)), limit))
      end
      return redis.error_reply('unheard messages: to be looked for in a moment')
    end
    if awaited then redis.call('HDEL', meta, 'awaited') end

    if known < stored and not late then
      redis.call('HSET', meta, 'puzzle', stored - known, 'deadline', deadline or string.format('%.0f', now + PATIENCE))
    else
      if known < stored then begin_anew() end
      known = stored
      if deadline then redis.call('HDEL', meta, 'puzzle', 'deadline') end
    end
    if since then index(INDEXED) end
  end
  if known > 0 or stored > 0 then redis.call('HSET', meta, 'known', known) end
end
known = known or 0
