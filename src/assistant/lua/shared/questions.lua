--[[ questions: the questions of a room that wait for the assistant, or are being answered. A part of the scripts that look at them, after
     wanted_events and cancelled. Uses the script's consumed and name. ]]

-- The event as { event (its seq), question (the message), attempt, user }; the attempt is '' for the first one.
local function read_question(event, json)
  local fields = cjson.decode(json)
  if fields.kind == 'message.added' then return { event = event, question = fields.message.id, attempt = '', user = fields.message.from } end
  if fields.kind == 'message.edited' then
    return { event = event, question = fields.message.id, attempt = string.format('edit/%.0f', fields.at), user = fields.message.from }
  end
  return { event = event, question = fields.messageId, attempt = fields.attempt or '', user = fields.from }
end

-- The questions in their order, without cancelled ones; of a log that is very long, those among its next 10,000 events.
local function questions()
  local STEP, STEPS = 500, 20
  local found, from = {}, tonumber(string.match(redis.call('HGET', consumed, name) or '', '^%d+'))
  for _ = 1, STEPS do
    while from do
      local event, json = next_wanted(from, STEP)
      if not event then
        from = json
        break
      end
      local question = read_question(event, json)
      if not is_cancelled(event, question.user) then found[#found + 1] = question end
      from = event + 1
    end
    if not from then break end
  end
  return found
end
