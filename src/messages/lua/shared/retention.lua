--[[ retention: trims a room's history to its limits. A part of scripts after room_log, message_find and message_index, whose variables it
     uses. Also uses the script's history_limit (messages) and history_days (0 for no limit).

     Scores are seconds; some of the demo apps' clients wrote milliseconds, and any client there can write any date. A message whose date
     is ahead by more than a day, and by more than history_days, counts as the oldest and is removed first. So a client cannot push out
     newer messages by dating its own ahead. A message that is ahead by less is removed after twice history_days at the latest. ]]
local MILLISECONDS = 100000000000 -- in seconds, this would be the year 5138
local AT_ONCE = 8                 -- members read at once at most: members of demo apps may be long
local LONG = 65536                -- bytes of a member, after which the next one is read alone
local MOST_BYTES = 1000000        -- of members, after which a call leaves the rest to the next call
local limit, days = tonumber(history_limit), tonumber(history_days)
local soon = clock[1] + 86400 * math.max(1, days)
local oldest_kept = days > 0 and clock[1] - 86400 * days or -math.huge

-- The oldest members, as { member, time, score }: at least `most` of them if the room has that many.
local function oldest(most)
  local found = {}
  local function add(from, to, time_of)
    local members = redis.call('ZRANGE', room, from, to, 'BYSCORE', 'LIMIT', 0, most, 'WITHSCORES')
    for index = 1, #members, 2 do found[#found + 1] = { members[index], time_of(tonumber(members[index + 1])), members[index + 1] } end
  end
  local function number(value) return string.format('%.0f', value) end
  local function no_time() return -math.huge end
  add('-inf', number(soon), function(score) return score end)
  if redis.call('ZCOUNT', room, '(' .. number(soon), '+inf') > 0 then
    add('(' .. number(soon), number(MILLISECONDS), no_time)
    add('(' .. number(MILLISECONDS), number(soon * 1000), function(score) return score / 1000 end)
    add('(' .. number(soon * 1000), '+inf', no_time)
    table.sort(found, function(one, other) return one[2] < other[2] end)
  end
  return found
end

-- Removes messages beyond the limits, until there is room for `adding` more; at most `most` members. Returns the number removed.
local function trim(most, adding)
  -- While the log does not account for all members, a removal would make the difference impossible to resolve.
  if not stored or known ~= stored or (limit == 0 and days == 0) then return 0 end
  local removed, bytes, step, all_went = 0, 0, 1, true
  local function goes(time)
    return removed < most and (time < oldest_kept or (limit > 0 and stored + adding > limit))
  end
  while all_went and bytes < MOST_BYTES and (days > 0 or goes(math.huge)) do
    local members = oldest(step)
    all_went = #members >= step
    local longest = 0
    for index = 1, math.min(step, #members) do
      local member, time, score = unpack(members[index])
      if not goes(time) then
        all_went = false
        break
      end
      remove_message(member, score)
      removed, stored, known = removed + 1, stored - 1, known - 1
      bytes, longest = bytes + #member, math.max(longest, #member)
    end
    step = longest > LONG and 1 or math.min(2 * step, AT_ONCE)
  end
  if removed > 0 then redis.call('HSET', meta, 'known', known) end
  return removed
end

-- Trims events that are too old from the log, because they contain messages; at most `most`. Returns the number. Clients whose position is
-- among them have to load the room again.
local function trim_log(most)
  local gone, last_gone = 0, nil
  while days > 0 and gone < most do
    local entries = redis.call('XRANGE', log, last_gone and '(' .. last_gone or '-', '+', 'COUNT', AT_ONCE)
    local before = gone
    for _, entry in ipairs(entries) do
      local at = tonumber(string.match(entry[2][2], '"at":(%d+)')) or 0
      if at >= oldest_kept * 1000000 or gone == most then break end
      gone, last_gone = gone + 1, entry[1]
    end
    if gone < before + AT_ONCE then break end
  end
  if last_gone then redis.call('XTRIM', log, 'MINID', string.format('%d-0', string.match(last_gone, '^%d+') + 1)) end
  return gone
end
