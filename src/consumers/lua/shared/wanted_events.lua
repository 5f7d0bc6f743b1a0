--[[ wanted_events: finds the events of a room's log that a consumer wants. A part of scripts on the log. Uses the script's log and name. ]]

-- Whether the consumer wants this event, given as JSON. The names are its last field, which no text of a user can imitate: a text is followed
-- by further braces.
local function is_wanted(event)
  local names = string.match(event, ',"for":"([%w_ ]+)"}$')
  return names and string.find(' ' .. names .. ' ', ' ' .. name .. ' ', 1, true) ~= nil
end

-- The first such event from a number on: its number and its JSON. nil and where to go on if the next `most` entries have none; nil alone at
-- the end of the log.
local function next_wanted(from, most)
  local entries = redis.call('XRANGE', log, string.format('%d-0', from), '+', 'COUNT', most)
  for _, entry in ipairs(entries) do
    if is_wanted(entry[2][2]) then return tonumber(string.match(entry[1], '^%d+')), entry[2][2] end
  end
  if #entries == most then return nil, tonumber(string.match(entries[most][1], '^%d+')) + 1 end
  return nil
end
