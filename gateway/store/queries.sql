-- conversation_by_id: all of one conversation
select * from conversation where id = :id

-- conversation_of: the conversation of a sender and a contact
select * from conversation where sender = :sender and contact = :contact

-- conversation_to_join: what accepting a message depends on, and whether anything stands in line before it
select id, sender, contact, also_known_as, bucket, contact_name, anchor, refuted_at, opened_by, evidence, suppression,
    revision, due_at, epoch, leased_until, rests_until, pace_tat, exists (
        select 1 from message where message.conversation = conversation.id and message.due_at is not null
    ) as has_line
from conversation where sender = :sender and contact = :contact

-- add_conversation: a contact of whom nothing is known yet
insert into conversation (sender, contact, bucket, suppression) values (:sender, :contact, :bucket, :suppression)
returning *, 0 as has_line

-- known_as: the conversation of a contact by any of its ids: the first one, else by the provider's word, else a client's
select * from conversation where id = coalesce(
    (select id from conversation where sender = :sender and contact = :contact),
    (
        select conversation from contact_id
        where sender = :sender and contact = :contact and client in ('', :client)
        order by client
        limit 1
    )
)

-- ids_of: every id by which a conversation is found besides the first one, whoever said so
select contact from contact_id where conversation = :conversation

-- add_client_s_id: an id that nobody has, on a client's word and for it alone, unless there are too many of them
insert into contact_id (sender, contact, client, conversation)
select :sender, :contact, :client, :conversation
where (select count(*) from contact_id where conversation = :conversation) < :most
on conflict do nothing

-- add_provider_s_id: from now on the contact is found by it
insert into contact_id (sender, contact, client, conversation) values (:sender, :contact, '', :conversation)
on conflict do update set conversation = excluded.conversation

-- drop_id: nobody is found by it any more, whoever said so
delete from contact_id where sender = :sender and contact = :contact

-- drop_clients_words: of an id of which the provider has spoken
delete from contact_id where sender = :sender and contact = :contact and client <> ''

-- set_ids: by what a contact is known, the first one first
update conversation set contact = :contact, also_known_as = :also_known_as where id = :id

-- rename_conversation: an id took another's place: what was decided before is decided again
update conversation set renamed_at = :at, revision = revision + 1 where id = :id

-- any_id: whether any contact has several ids
select 1 from contact_id limit 1

-- absorb: what two conversations of one contact held is held by the one that stays
update conversation
set contact_name = :contact_name, anchor = :anchor, refuted_at = :refuted_at, opened_by = :opened_by,
    evidence = :evidence, revision = revision + 1, sequence = max(sequence, :sequence), epoch = epoch + :fences,
    leased_until = :leased_until, rests_until = :leased_until, still_out = :still_out, pace_tat = :pace_tat,
    probed_tick = max(probed_tick, :probed_tick), renamed_at = :renamed_at,
    told_at = :told_at
where id = :id

-- leave_behind: all that it held is another's now; whoever holds it has lost it
update conversation
set contact = :contact, also_known_as = null, contact_name = null, anchor = null, refuted_at = null, opened_by = null,
    evidence = null, suppression = null, revision = revision + 1, epoch = epoch + 1, due_at = null, head_class = null,
    head_client = null, leased_until = null, rests_until = null, still_out = null, quiet_from = :quiet_from
where id = :id

-- move_messages: they keep their places, which are in the order of acceptance
update message set conversation = :kept where conversation = :gone

-- move_arrivals: callbacks belong to the one that stays
update inbox set conversation = :kept where conversation = :gone

-- move_ids: what was found by an id is found by it still
update contact_id set conversation = :kept where conversation = :gone

-- move_probe: the probe of a paused sender is the one that stays
update sender set probe_conversation = :kept where probe_conversation = :gone

-- move_lane: an endpoint's queue, where the one that stays has none
update lane set conversation = :kept where id = :id

-- move_notices: they keep their order
update notice set lane = :kept where lane = :gone

-- hold_lane: no notice is given out while another of the same contact is on its way
update lane set leased_until = max(coalesce(leased_until, 0), :until), epoch = epoch + (leased_until is not null)
where id = :id

-- heard: the contact wrote, so what was decided before is decided again
update conversation
set contact_name = coalesce(:contact_name, contact_name), anchor = :anchor, opened_by = :opened_by,
    evidence = :evidence, told_at = max(coalesce(told_at, 0), :told_at), revision = revision + 1
where id = :id

-- tell_ids: the provider said then who has these ids
update conversation set told_at = max(coalesce(told_at, 0), :at) where id = :id

-- refute_window: the provider says that it was closed when an attempt started
update conversation set refuted_at = :refuted_at, revision = revision + 1 where id = :id

-- next_in_sequence: the number of the next thing that clients are told
update conversation set sequence = sequence + 1 where id = :id returning sequence

-- set_line: what was worked out of a conversation's line; its pace never runs further ahead than a burst
update conversation
set due_at = :due_at, head_class = :head_class, head_client = :head_client, leased_until = :leased_until,
    rests_until = :rests_until, pace_tat = min(pace_tat, :latest_tat)
where id = :id

-- empty_line: nothing is left to do, and the worker is done
update conversation
set due_at = null, head_class = null, head_client = null, leased_until = null, rests_until = null
where id = :id

-- line_of: those in line, in the order of acceptance
select place, client, is_free_form, due_at, at_due, blocked_from
from message
where conversation = :conversation and due_at is not null
order by place

-- rested: conversations of a sender whose rest is over
select id, leased_until from conversation
where sender = :sender and rests_until is not null and rests_until <= :tick
order by rests_until

-- resting_of_sender: when rests end, soonest first
select id, rests_until from conversation where sender = :sender and rests_until is not null order by rests_until

-- resting: every conversation that is leased or out of pace
select id from conversation where rests_until is not null

-- clients_in_line: whose messages are at the head of rested lines of this class, by jumps along the index
with recursive client (name) as (
    select min(head_client) from conversation
    where sender = :sender and head_class = :head_class and due_at is not null and rests_until is null
    union all
    select (
        select min(head_client) from conversation
        where sender = :sender and head_class = :head_class and head_client > client.name
            and due_at is not null and rests_until is null
    )
    from client where client.name is not null
)
select name from client where name is not null

-- due_of_client: rested lines of a class with this client's message at the head, longest due first
select id from conversation
where sender = :sender and head_class = :head_class and head_client = :client
    and due_at is not null and due_at <= :at and rests_until is null
order by due_at

-- due_probes: rested lines of a sender, those that failed as a probe last, longest due first
select id from conversation indexed by conversation_probe
where sender = :sender and due_at is not null and due_at <= :at and rests_until is null
order by probed_tick, due_at

-- next_due_of_client: when the next rested line of a class becomes due
select min(due_at) as due_at from conversation
where sender = :sender and head_class = :head_class and head_client = :client
    and due_at is not null and due_at > :at and rests_until is null

-- lease_conversation: a worker's from now on, and no longer anybody else's
update conversation set epoch = epoch + 1, leased_until = :until, rests_until = :until where id = :id returning *

-- lease_at_once: what was accepted leaves in the same transaction; it is leased as long as that is being sent
update conversation set epoch = epoch + 1, leased_until = :until, pace_tat = :pace_tat where id = :id

-- rest_as_leased: the lease of what left at once outlasts its message's place in line
update conversation set rests_until = leased_until
where id = :id and leased_until is not null and rests_until is null

-- sending_in_line: whether one in the line of a conversation is being sent
select 1 from message where conversation = :conversation and due_at is not null and status = 'sending' limit 1

-- leases_of_sending: until when what is being sent may be, by the order of acceptance; without a lease it is over
select conversation.id, coalesce(conversation.leased_until, 0) as leased_until, conversation.rests_until
from attempt indexed by attempt_sending cross join message on message.place = attempt.message
    cross join conversation on conversation.id = message.conversation
where attempt.status = 'sending'
order by attempt.message

-- begin_conversation: an attempt starts, if the claim is still good and nothing has changed what was decided on
update conversation set pace_tat = max(pace_tat, :tick) + :interval
where id = :id and epoch = :epoch and revision = :revision and leased_until is not null
    and not exists (
        select 1 from sender
        where sender.id = conversation.sender and pause is not null and probe_conversation is not conversation.id
    )
returning leased_until

-- lease_anew: the worker needs it for longer than what is left
update conversation set leased_until = :until, rests_until = :until where id = :id

-- void_lease: the worker is gone, or no longer the one
update conversation set leased_until = null, still_out = null, epoch = epoch + 1 where id = :id

-- set_still_out: whose claims were lost as two conversations became one, and who is not back yet
update conversation set still_out = :still_out where id = :id

-- add_message: in the order of acceptance, in line at once, unless its id is taken
insert into message (
    id, conversation, client, status, changed_at, content, fallback, is_free_form, reference, callback_url,
    accepted_at, expires_at, receipt, idempotency_route, idempotency_key, fingerprint, answer_by, told_view,
    downgraded_at, is_observed, traceparent, intent, reply_to, opaque, on_closed_window, addressed, due_at, attempts,
    history
) values (
    :id, :conversation, :client, :status, :accepted_at, :content, :fallback, :is_free_form, :reference, :callback_url,
    :accepted_at, :expires_at, :receipt, :route, :key, :fingerprint, :answer_by, :told_view,
    :downgraded_at, :is_observed, :traceparent, :intent, :reply_to, :opaque, :on_closed_window, :addressed,
    :accepted_at, :attempts, :history
)
on conflict (id) do nothing

-- status_of: where a message stands
select status from message where place = :place

-- message_by_place: a message with its sender and contact
select message.*, conversation.sender, conversation.contact, conversation.also_known_as
from message join conversation on conversation.id = message.conversation
where message.place = :place

-- message_to_record: a message with its conversation, who holds that, and whether others stand in its line
select message.*, conversation.sender, conversation.contact, conversation.also_known_as, conversation.epoch,
    conversation.leased_until, conversation.still_out, exists (
    select 1 from message as other
    where other.conversation = conversation.id and other.due_at is not null and other.place <> message.place
) as has_others
from message join conversation on conversation.id = message.conversation
where message.place = :place

-- to_hand_over: an attempt whose claim is held, if it is the only one of the only message in line, and nothing was said
-- of it before its answer
select attempt.id as attempt, message.place, conversation.rests_until
from message cross join attempt on attempt.message = message.place
    cross join conversation on conversation.id = message.conversation
where message.id = :message and attempt.token = :token
    and attempt.status = 'sending' and attempt.provider_message_id is null
    and message.attempts = 1 and message.status = 'sending' and message.verdict is null
    and conversation.id = :conversation and conversation.epoch = :epoch and conversation.leased_until is not null
    and conversation.contact = :contact
    and not exists (
        select 1 from message as other
        where other.conversation = conversation.id and other.due_at is not null and other.place <> message.place
    )
    and not exists (select 1 from inbox where state = 'waiting' and provider_message_id = :provider_message_id)

-- hand_over_attempt: the provider took it, and gave it an id
update attempt set status = 'submitted', ended_at = :at, provider_message_id = :provider_message_id where id = :id

-- hand_over_message: the provider has it; nobody waits for its answer any more
update message
set status = 'submitted', changed_at = :at, failure = null, error = null, history = history || :line, due_at = null,
    answer_by = null
where place = :place

-- message_by_id: a message with its sender and contact
select message.*, conversation.sender, conversation.contact, conversation.also_known_as, conversation.still_out
from message join conversation on conversation.id = message.conversation
where message.id = :id

-- message_by_key: what a client's idempotency key was used for, also where only its digest is left
select * from message
where client = :client and idempotency_route = :route and idempotency_key in (:key, digest(:key))

-- forget_key: the key of a message may be used anew
update message set idempotency_route = null, idempotency_key = null, fingerprint = null
where client = :client and idempotency_route = :route and idempotency_key in (:key, digest(:key))

-- stand_in_line: a place in line, in the order of acceptance
update message set due_at = :due_at, at_due = :at_due where place = :place

-- leave_line: nothing more is to be done about it by itself
update message set due_at = null where place = :place

-- block_line: from its first failure on a message holds back those behind it, for a while
update message set blocked_from = coalesce(blocked_from, :at) where place = :place

-- count_refusal: a step of the retry schedule is used up
update message set refusals = refusals + 1 where place = :place

-- message_to_begin: what a new attempt must know of its message, and how it was decided last
select
    message.place, message.conversation, message.client, message.status, message.due_at, message.expires_at,
    message.told_view, decision.action, decision.reasons, decision.template, decision.instead
from message
left join decision on decision.id = (select max(id) from decision where decision.message = message.place)
where message.id = :id

-- begin_message: an attempt starts; our verdict, if there was one, no longer holds
update message
set status = 'sending', changed_at = :at, verdict = null, failure = null, error = null,
    downgraded_at = :downgraded_at, is_observed = :is_observed, attempts = attempts + 1, history = history || :line
where place = :place

-- start_anew: back in line by an operator's word
update message
set verdict = :verdict, expires_at = :expires_at, refusals = 0, blocked_from = null
where place = :place

-- give_up: it may have arrived, and nothing more is done about it by itself
update message set verdict = :verdict, due_at = null where place = :place

-- set_verdict: ended by a word that stands
update message set verdict = :verdict, failure = :failure, error = :error where place = :place

-- change_status: a wait for the answer ends with it, unless the refusal is still to be told
update message
set status = :status, changed_at = :at, failure = :failure, error = :error, history = history || :line,
    due_at = case when :may_stand_in_line then due_at end,
    answer_by = case when :may_stand_in_line then answer_by end,
    is_refusal_told = :is_refusal_told
where place = :place

-- set_told_view: what the callback URL was told last
update message set told_view = :view where place = :place

-- end_wait: the client waits no longer
update message set answer_by = null where id = :id returning is_refusal_told, error

-- awaited_of_sender: queued messages whose clients wait for the answer, but for those that may have arrived
select message.place, message.conversation
from message indexed by message_awaited cross join conversation on conversation.id = message.conversation
where message.answer_by is not null and message.answer_by > :at and message.status = 'queued'
    and conversation.sender = :sender
    and not exists (select 1 from attempt where attempt.message = message.place and attempt.status = 'unknown')

-- expired: those in line whose time to live is over
select place, conversation from message
where due_at is not null and expires_at <= :at and status <> 'sending'
order by expires_at
limit :limit

-- downgrades: fallbacks for one contact that left, or are to leave before the message at a place; or would have left
select count(*) as count from message
where conversation = :conversation and downgraded_at is not null and downgraded_at > :since
    and (place < :before or place > :before and status <> 'queued')
    and status not in ('refused', 'expired', 'cancelled')
    and case when is_observed then :observing else status <> 'failed' end

-- downgrade_times: of the fallbacks that `downgrades` counts for the next message, the oldest first
select downgraded_at from message
where conversation = :conversation and downgraded_at is not null and downgraded_at > :since
    and status not in ('refused', 'expired', 'cancelled')
    and case when is_observed then :observing else status <> 'failed' end
order by downgraded_at

-- length_of_line: how many messages stand in it, the one that is being sent among them
select count(*) as count from message where conversation = :conversation and due_at is not null

-- count_open: messages not yet handed over or ended
insert into backlog (client, sender, open) values (:client, :sender, :change)
on conflict (client, sender) do update set open = open + excluded.open

-- open_of_client: over all its senders
select coalesce(sum(open), 0) as open from backlog where client = :client

-- add_decision: why, on what evidence
insert into decision (message, stage, at, action, reasons, template, evidence, instead)
values (:message, :stage, :at, :action, :reasons, :template, :evidence, :instead)

-- decisions_of: of one message, the first one first
select * from decision where message = :message order by id

-- add_refusal: refused when it came, so there is no message
insert into refusal (at, client, sender, contact, reasons, evidence)
values (:at, :client, :sender, :contact, :reasons, :evidence)

-- add_attempt: from here on it may have reached the provider
insert into attempt (message, number, token, status, is_template, content, started_at, provider)
values (:message, :number, :token, :status, :is_template, :content, :started_at, :provider)

-- attempts_of: of one message, the first one first
select * from attempt where message = :message order by number

-- template_started: whether a template may have been written
select exists (select 1 from attempt where message = :message and is_template and status <> :withdrawn) as is_true

-- refused_templates: attempts whose template can't be sent
select content from attempt where message = :message and status = 'template_refused'

-- attempt_by_id: one attempt
select * from attempt where id = :id

-- attempt_by_token: the one that was given this callback path; it begins with the message's id
select attempt.* from message cross join attempt on attempt.message = message.place
where message.id = cast(:token as integer) and attempt.token = :token

-- attempt_by_provider_id: the latest that a provider knows by this id
select * from attempt
where provider_message_id = :provider_message_id and (provider is null or provider = :provider)
order by id desc
limit 1

-- named_message: a message of ours by the provider's id, and whose it is
select message.id, message.client
from attempt join message on message.place = attempt.message
where attempt.provider_message_id = :provider_message_id
    and (attempt.provider is null or attempt.provider = :provider)
order by attempt.id desc
limit 1

-- attempt_by_digest: the same of a contact that was erased
select * from attempt
where provider_message_id = digest(:provider_message_id) and (provider is null or provider = :provider)
order by id desc
limit 1

-- provider_id_of: by which id the provider knows a message of this client and sender: that of the latest attempt with one
select attempt.provider_message_id
from message
cross join conversation on conversation.id = message.conversation
cross join attempt on attempt.message = message.place
where message.id = :id and message.client = :client and conversation.sender = :sender
    and attempt.provider_message_id is not null and (attempt.provider is null or attempt.provider is :provider)
order by attempt.number desc
limit 1

-- move_attempt: what an answer or a report says of it
update attempt
set status = :status, is_reported = :is_reported, error = :error, ended_at = coalesce(ended_at, :ended_at),
    provider_message_id = coalesce(provider_message_id, :provider_message_id)
where id = :id

-- attempts_sending: begun, and not yet recorded, with their conversations
select attempt.*, message.conversation
from attempt cross join message on message.place = attempt.message
where attempt.status = 'sending'
order by attempt.message

-- sending_in_conversation: begun in this conversation, and not yet recorded
select attempt.* from attempt cross join message on message.place = attempt.message
where attempt.status = 'sending' and message.conversation = :conversation

-- sender_by_id: its pace and its pause
select * from sender where id = :id

-- senders: all of them, with how many messages wait
select sender.*, (select coalesce(sum(open), 0) from backlog where backlog.sender = sender.id) as queued
from sender order by id

-- add_sender: with nothing against it
insert into sender (id) values (:id)

-- charge_sender: conversations were given out
update sender set pace_tat = :pace_tat, last_client = :last_client where id = :id

-- send_probe: one conversation of a paused sender is given out
update sender set probe_conversation = :conversation where id = :id

-- note_probe: it failed in a way that may be its own: the next probe is another's, if there is one
update conversation set probed_tick = :tick where id = :id

-- end_probe: it came back
update sender set probe_conversation = null where probe_conversation = :conversation

-- probe_at_once: after a start nothing is known that speaks against it
update sender set probe_conversation = null, probe_from = :tick where pause is not null

-- set_failures_in_row: unknown or 5xx answers
update sender set failures_in_row = :failures where id = :id

-- pause_sender: what is not the message's own fault stops them all
update sender
set pause = :pause, pause_error = :error, paused_from = coalesce(paused_from, :tick),
    probe_from = :probe_from, probe_interval = :interval
where id = :id

-- put_off_probe: an attempt that began before the pause says to wait longer
update sender set probe_from = max(probe_from, :probe_from) where id = :id

-- resume_sender: the provider answered as one that works
update sender
set pause = null, pause_error = null, paused_from = null, probe_from = null, probe_interval = null
where id = :id

-- clamp_senders: nothing is further off than a burst or a probe can be, whatever a clock that was set back left behind
update sender
set pace_tat = min(pace_tat, :latest_tat), probe_from = min(probe_from, :latest_probe),
    paused_from = min(paused_from, :tick)

-- add_arrival: an event of a callback, unless it came before, also where only the digest of that is left
insert into inbox (provider, dedupe, kind, state, arrived_at, token, provider_message_id, status, error, raw)
select :provider, :dedupe, :kind, 'kept', :at, :token, :provider_message_id, :status, :error, :raw
where not exists (select 1 from inbox where provider = :provider and dedupe = digest(:dedupe))
on conflict (provider, dedupe) do nothing
returning id

-- set_fate: what became of it, and whose conversation it belongs to
update inbox set state = :state, problem = :problem, conversation = :conversation where id = :id

-- early_reports: reports that came before it was known whose they are
select * from inbox
where state = 'waiting' and provider_message_id = :provider_message_id and token is null
    and (:provider is null or provider = :provider) and arrived_at > :since
order by id

-- report_applied: its attempt is known now
update inbox set state = 'applied', conversation = :conversation where id = :id

-- add_endpoint: a place to post to
insert into endpoint (name) values (:name) on conflict do nothing

-- lane_of: an endpoint's queue of one conversation
select id from lane where endpoint = :endpoint and conversation is :conversation

-- add_lane: an endpoint's queue of one conversation
insert into lane (endpoint, conversation) values (:endpoint, :conversation) returning id

-- add_notice: at the end of its lane
insert into notice (lane, event_id, type, format, url, body, created_at, due_at)
values (:lane, :event_id, :type, :format, :url, :body, :at, :at)

-- notices_in_lane: those not yet ended, in order
select * from notice where lane = :lane and ended_at is null order by id

-- set_lane_due: when its head may go
update lane set due_at = :due_at where id = :id returning endpoint

-- set_endpoint_due: when the first of its free lanes is due
update endpoint
set due_at = (
    select min(lane.due_at) from lane
    where lane.endpoint = :name and lane.due_at is not null and lane.leased_until is null
)
where name = :name

-- due_endpoints: those with something due, longest without a turn first
select name from endpoint where due_at is not null and due_at <= :at order by turn, due_at

-- endpoints_due_later: those that become due, soonest first
select name, due_at from endpoint where due_at is not null and due_at > :at order by due_at

-- due_lanes_of_endpoint: longest due first
select id from lane
where endpoint = :endpoint and due_at is not null and due_at <= :at and leased_until is null
order by due_at
limit :limit

-- lease_lane: a worker's from now on
update lane set epoch = epoch + 1, leased_until = :until where id = :id returning *

-- give_turn: it goes behind the others
update endpoint set turn = :tick where name = :name

-- lane_held: whether it still belongs to the worker of this epoch
select id from lane where id = :id and epoch = :epoch and leased_until is not null

-- free_lane: the worker is done, or gone
update lane set leased_until = null where id = :id

-- lanes_with_lease_over: whose workers did not come back
select id from lane where leased_until is not null and leased_until <= :tick

-- leased_lanes: all that somebody held
select id from lane where leased_until is not null

-- newest_notice: the last one made
select max(id) as id from notice

-- notice_from: the first at or behind a number
select id, created_at as at from notice where id >= :id order by id limit 1

-- notices_between: of any client or one, in any state or one, in the order in which they were made
select notice.*, lane.endpoint, conversation.sender, conversation.contact
from notice cross join lane on lane.id = notice.lane left join conversation on conversation.id = lane.conversation
where notice.id between :first and :last and notice.created_at >= :since and notice.created_at < :until
    and (:client is null or lane.endpoint = 'client:' || :client
        or substr(lane.endpoint, 1, length(:client) + 5) = 'url:' || :client || ':')
    and (:state is null or notice.state = :state)
order by notice.id

-- ended_of_client: notices to its webhook, between two numbers, that failed or however they ended
select notice.id, notice.lane, notice.body = '{}' as is_empty
from notice cross join lane on lane.id = notice.lane
where notice.id between :first and :last and notice.created_at >= :since and notice.created_at < :until
    and lane.endpoint = 'client:' || :client and notice.ended_at is not null
    and (not :failed_only or notice.state = 'failed')
order by notice.id

-- post_notice_again: with all its tries; what it says is kept no longer for that
update notice
set state = 'waiting', kept_from = coalesce(kept_from, ended_at), ended_at = null, error = null, tries = 0,
    due_at = :at, hold_at = null
where id = :id and ended_at is not null

-- end_notice: no more tries
update notice
set state = :state, error = :error, ended_at = :at, tries = tries + 1
where id = :id and ended_at is null

-- put_off_notice: a try failed, there is another
update notice
set due_at = :due_at, hold_at = :hold_at, error = :error, tries = tries + 1
where id = :id and ended_at is null

-- note_act: an operator's power was used
insert into operator_act (at, actor, act, message_id, status_before, status_after)
values (:at, :actor, :act, :message_id, :before, :after)

-- acts_of: what operators did to a message, the first one first
select at, actor, act, status_before, status_after from operator_act where message_id = :message_id order by id

-- beat: a write that changes nothing, to see whether writes are taken
update pulse set beat = beat + 1

-- clients: all that ever posted
select distinct client from backlog order by client

-- messages_of_client: in one status, between two places, of any sender or one, newest first
select message.*, conversation.sender, conversation.contact
from message join conversation on conversation.id = message.conversation
where message.client = :client and message.status = :status and message.place >= :first and message.place < :before
    and (:sender is null or conversation.sender = :sender)
order by message.place desc
limit :limit

-- conversations_named: one for each sender, by any of a contact's ids: by anybody's word, or only a client's
select id, sender, contact, also_known_as, suppression from conversation where contact = :contact
union
select conversation.id, conversation.sender, conversation.contact, conversation.also_known_as, conversation.suppression
from contact_id cross join conversation on conversation.id = contact_id.conversation
where contact_id.contact = :contact and (:client is null or contact_id.client in ('', :client))

-- messages_of_conversation: of any client or one, in any status or one, between two places, newest first
select message.*, conversation.sender, conversation.contact
from message join conversation on conversation.id = message.conversation
where message.conversation = :conversation and message.place >= :first and message.place < :before
    and (:sender is null or conversation.sender = :sender)
    and (:client is null or message.client = :client) and (:status is null or message.status = :status)
order by message.place desc
limit :limit

-- old_keys: idempotency keys that are no longer promised
select place from message where idempotency_key is not null and accepted_at <= :at order by accepted_at limit :limit

-- drop_key: of one message
update message set idempotency_route = null, idempotency_key = null, fingerprint = null where place = :place

-- old_content: what was said in messages handed over or ended long ago
select place, content, fallback from message
where has_content = 1 and accepted_at <= :at and changed_at <= :at and status not in ('queued', 'held', 'sending')
    and due_at is null
order by accepted_at
limit :limit

-- drop_content: keep what kind of content it was, and which template
update message set has_content = 0, content = :content, fallback = :fallback, reply_to = null, opaque = null,
    addressed = null
where place = :place

-- drop_attempt_content: what was sent for one message
update attempt set content = null where message = :message

-- set_evidence: of one decision, with the rendered template removed
update decision set evidence = :evidence where id = :id

-- old_messages: handed over or ended long ago, nothing left in them
select place, conversation from message
where has_content = 0 and accepted_at <= :at and changed_at <= :at and status not in ('queued', 'held', 'sending')
    and due_at is null
order by accepted_at
limit :limit

-- drop_message: with its attempts, decisions and history
delete from message where place = :place

-- old_raw: callbacks as they came
select id from inbox where has_raw = 1 and arrived_at <= :at order by arrived_at limit :limit

-- drop_raw: keep that it came, and what became of it
update inbox set raw = null, has_raw = 0 where id = :id

-- old_arrivals: callbacks that won't be repeated any more
select id, conversation from inbox where has_raw = 0 and arrived_at <= :at order by arrived_at limit :limit

-- drop_arrival: of the inbox
delete from inbox where id = :id

-- old_notices: ended long ago
select notice.id, notice.lane, lane.conversation
from notice cross join lane on lane.id = notice.lane
where notice.ended_at is not null and coalesce(notice.kept_from, notice.ended_at) <= :at
order by coalesce(notice.kept_from, notice.ended_at)
limit :limit

-- drop_notice: with what it told
delete from notice where id = :id

-- drop_empty_lane: with nothing in it
delete from lane
where id = :id and leased_until is null and not exists (select 1 from notice where notice.lane = lane.id)
returning endpoint

-- drop_empty_endpoint: with no lane
delete from endpoint where name = :name and not exists (select 1 from lane where lane.endpoint = endpoint.name)

-- old_refusals: records of what was never accepted
select id from refusal where at <= :at order by at limit :limit

-- drop_refusal: one record
delete from refusal where id = :id

-- old_acts: what operators did
select id from operator_act where at <= :at order by at limit :limit

-- drop_act: one record
delete from operator_act where id = :id

-- old_deeds: what operators did to contacts and windows
select id from operator_deed where at <= :at order by at limit :limit

-- drop_deed: one record
delete from operator_deed where id = :id

-- old_lifted: opt-outs that were lifted; no older report of them comes any more
select id from suppression where is_lifted = 1 and since <= :at order by since limit :limit

-- old_conversations: those that say of themselves that nothing but they may be left
select id, :at as at from conversation where quiet_from is not null and quiet_from <= :at order by quiet_from limit :limit

-- traces_of: what is left of a conversation besides its row
select anchor, refuted_at, quiet_from,
    exists (select 1 from message where message.conversation = conversation.id)
    or exists (select 1 from inbox where inbox.conversation = conversation.id)
    or exists (select 1 from lane where lane.conversation = conversation.id) as is_referred_to
from conversation where id = :id

-- set_quiet: from when on nothing but the row is left
update conversation set quiet_from = :quiet_from where id = :id

-- drop_conversation: of which nothing but the row is left
delete from conversation where id = :id and quiet_from <= :at and rests_until is null

-- free_pages: those that hold nothing any more
pragma freelist_count

-- give_back_page: one of the free pages goes back to the file system
pragma incremental_vacuum (1)

-- newest_message: the last place
select max(place) as id from message

-- message_from: the first message at or behind a place
select place as id, accepted_at as at from message where place >= :id order by place limit 1

-- newest_decision: the last one
select max(id) as id from decision

-- decision_from: the first decision at or behind a number
select id, at from decision where id >= :id order by id limit 1

-- newest_refusal: the last one
select max(id) as id from refusal

-- refusal_from: the first refusal at or behind a number
select id, at from refusal where id >= :id order by id limit 1

-- newest_conversation: the last one
select max(id) as id from conversation

-- decisions_between: of accepted messages, in the order in which they were taken
select decision.*, message.id as message_id, message.client, conversation.sender, conversation.contact
from decision cross join message on message.place = decision.message
    cross join conversation on conversation.id = message.conversation
where decision.id between :first and :last and decision.at >= :since and decision.at < :until
    and (:stage is null or decision.stage = :stage) and (:action is null or decision.action = :action)
    and (:client is null or message.client = :client) and (:sender is null or conversation.sender = :sender)
    and (:conversations is null or conversation.id in (select value from json_each(:conversations)))
order by decision.id

-- refusals_between: of what was never accepted, in the order in which they were taken
select * from refusal
where id between :first and :last and at >= :since and at < :until
    and (:client is null or client = :client) and (:sender is null or sender = :sender)
    and (:contacts is null or contact in (select value from json_each(:contacts)))
order by id

-- windows_between: of conversations by their numbers
select sender, contact, also_known_as, anchor, refuted_at, opened_by, evidence from conversation
where id between :first and :last and contact not like 'merged:%' and (:sender is null or sender = :sender)
    and (:opened_after is null or anchor > :opened_after) and (:opened_by is null or anchor <= :opened_by)
order by id

-- window_of_conversation: of one that was found by an id of its contact
select sender, contact, also_known_as, anchor, refuted_at, opened_by, evidence from conversation
where id = :id and (:sender is null or sender = :sender)
    and (:opened_after is null or anchor > :opened_after) and (:opened_by is null or anchor <= :opened_by)

-- tally_decided: messages by the decision that holds, by day, and by where they stand
select conversation.sender, instr(decision.reasons, '"observed"') > 0 as is_observed, message.is_free_form,
    message.accepted_at / 86400000000 as day, message.status, decision.action, decision.reasons, decision.template, decision.instead, count(*) as count
from message cross join conversation on conversation.id = message.conversation
    cross join decision on decision.id = (select max(id) from decision as one where one.message = message.place)
where message.place between :first and :last and message.accepted_at >= :since and message.accepted_at < :until
    and (:sender is null or conversation.sender = :sender)
group by 1, 2, 3, 4, 5, 6, 7, 8, 9

-- tally_rungs: templates that could not be taken, of messages that were refused at sending, or would have been
select conversation.sender, instr(decision.reasons, '"observed"') > 0 as is_observed,
    instr(coalesce(decision.instead, decision.reasons), '"template_unusable"') > 0 as is_asked,
    json_extract(rung.value, '$.name') || '/' || json_extract(rung.value, '$.language') as template,
    substr(json_extract(rung.value, '$.problem'), 1, instr(json_extract(rung.value, '$.problem') || ':', ':') - 1)
        as problem,
    json_extract(rung.value, '$.path') as path, count(*) as count
from message cross join conversation on conversation.id = message.conversation
    cross join decision on decision.id = (select max(id) from decision as one where one.message = message.place)
    cross join json_each(case when json_valid(decision.evidence) then decision.evidence else '{}' end, '$.rungs') as rung
where message.place between :first and :last and message.accepted_at >= :since and message.accepted_at < :until
    and (:sender is null or conversation.sender = :sender)
    and (decision.action = 'refuse' or decision.instead like '{"action":"refuse"%')
    and json_extract(rung.value, '$.problem') is not null
group by 1, 2, 3, 4, 5, 6

-- tally_answers: attempts with free-form content, by the decision that they were made on, and what became of them
select conversation.sender, message.is_observed,
    instr((
        select coalesce(instead, reasons) from decision
        where decision.message = attempt.message and decision.at <= attempt.started_at
        order by id desc limit 1
    ), '"window_closed"') = 0 as held_open,
    attempt.status,
    case when json_valid(attempt.error) then coalesce(json_extract(attempt.error, '$.closes_window'), 0) else 0 end
        as closes_window,
    count(*) as count
from attempt cross join message on message.place = attempt.message
    cross join conversation on conversation.id = message.conversation
where attempt.message between :first and :last and attempt.is_template = 0
    and message.accepted_at >= :since and message.accepted_at < :until
    and (:sender is null or conversation.sender = :sender)
group by 1, 2, 3, 4, 5

-- tally_refused: requests that were refused when they came, by day
select sender, at / 86400000000 as day, reasons, count(*) as count from refusal
where id between :first and :last and at >= :since and at < :until and (:sender is null or sender = :sender)
group by 1, 2, 3

-- tally_refused_rungs: templates that could not be taken, of requests that were refused when they came
select refusal.sender, 0 as is_observed, instr(refusal.reasons, '"template_unusable"') > 0 as is_asked,
    json_extract(rung.value, '$.name') || '/' || json_extract(rung.value, '$.language') as template,
    substr(json_extract(rung.value, '$.problem'), 1, instr(json_extract(rung.value, '$.problem') || ':', ':') - 1)
        as problem,
    json_extract(rung.value, '$.path') as path, count(*) as count
from refusal
    cross join json_each(case when json_valid(refusal.evidence) then refusal.evidence else '{}' end, '$.rungs') as rung
where refusal.id between :first and :last and refusal.at >= :since and refusal.at < :until
    and (:sender is null or refusal.sender = :sender) and json_extract(rung.value, '$.problem') is not null
group by 1, 3, 4, 5, 6
-- open_by_sender: messages not yet handed over or ended
select sender, sum(open) as open from backlog group by sender

-- oldest_by_sender: when the oldest open message was accepted; as much work as messages are in line
select conversation.sender, min(message.accepted_at) as accepted_at
from message indexed by message_in_line cross join conversation on conversation.id = message.conversation
where message.due_at is not null and message.status in ('queued', 'held', 'sending')
group by conversation.sender

-- windows_by_sender: of the contacts that were heard, along the index
select sender, count(*) as heard, sum(refuted_at is not null and anchor <= refuted_at) as refuted,
    sum(anchor > :open_after and (refuted_at is null or anchor > refuted_at)) as open
from conversation indexed by conversation_heard
where anchor is not null
group by sender

-- contacts_by_sender: of all, along the index
select sender, count(*) as contacts from conversation indexed by sqlite_autoindex_conversation_1
where contact not like 'merged:%'
group by sender

-- senders_watched: why they are paused, and who was heard
select id, pause, paused_from, silent_from, tried_at from sender order by id

-- unknown_of_client: messages whose answer was lost
select count(*) as unknown from message where client = :client and status = 'unknown'

-- waiting_of_endpoints: notices that are not delivered, and the first of them
select lane.endpoint, count(*) as waiting, min(notice.id) as first
from lane indexed by lane_due cross join notice indexed by notice_of_lane on notice.lane = lane.id
where lane.due_at is not null and lane.leased_until is null and notice.ended_at is null
group by lane.endpoint

-- underway_of_endpoints: the same of lanes whose heads are being delivered
select lane.endpoint, count(*) as waiting, min(notice.id) as first
from lane indexed by lane_leased cross join notice indexed by notice_of_lane on notice.lane = lane.id
where lane.leased_until is not null and notice.ended_at is null
group by lane.endpoint

-- notice_made: when a notice was put in its lane
select created_at from notice where id = :id

-- worked_out: up to which rows it is known who was heard and who tried
select heard_to, tried_to, (select max(id) from inbox) as last_arrival, (select max(id) from attempt) as last_attempt
from pulse where id = 1

-- heard_since: the senders of callbacks, when each was last heard
select conversation.sender, max(inbox.arrived_at) as at
from inbox cross join conversation on conversation.id = inbox.conversation
where inbox.id > :after and inbox.id <= :upto
group by conversation.sender

-- reported_since: the senders whose messages were reported on by an attempt's own callback URL
select conversation.sender, max(inbox.arrived_at) as at
from inbox cross join message on message.id = cast(inbox.token as integer)
    cross join attempt on attempt.message = message.place and attempt.token = inbox.token
    cross join conversation on conversation.id = message.conversation
where inbox.id > :after and inbox.id <= :upto and inbox.token is not null
group by conversation.sender

-- named_since: the senders whose messages were reported on by the provider's id
select conversation.sender, max(inbox.arrived_at) as at
from inbox cross join attempt on attempt.provider_message_id = inbox.provider_message_id
    cross join message on message.place = attempt.message
    cross join conversation on conversation.id = message.conversation
where inbox.id > :after and inbox.id <= :upto and inbox.token is null and inbox.kind = 'status'
    and (attempt.provider is null or attempt.provider = inbox.provider)
group by conversation.sender

-- tried_since: the senders of attempts, when the first and the last of them began
select conversation.sender, min(attempt.started_at) as first, max(attempt.started_at) as last
from attempt cross join message on message.place = attempt.message
    cross join conversation on conversation.id = message.conversation
where attempt.id > :after and attempt.id <= :upto
group by conversation.sender

-- note_heard: it speaks to us
update sender set silent_from = max(coalesce(silent_from, :at), :at) where id = :id

-- note_tried: it sends; if it was never heard, it is silent from then on
update sender
set tried_at = max(coalesce(tried_at, :last), :last), silent_from = coalesce(silent_from, :first)
where id = :id

-- note_worked_out: the next look begins behind these
update pulse set heard_to = :heard_to, tried_to = :tried_to where id = 1

-- report_by_token: the attempt that a report was posted to, and its message
select message.id, message.status, message.traceparent, attempt.number
from message cross join attempt on attempt.message = message.place
where message.id = cast(:token as integer) and attempt.token = :token

-- report_by_provider_id: the latest attempt that a provider knows by this id, and its message
select message.id, message.status, message.traceparent, attempt.number
from attempt join message on message.place = attempt.message
where attempt.provider_message_id = :provider_message_id and (attempt.provider is null or attempt.provider = :provider)
order by attempt.id desc
limit 1

-- trace_of: the trace that a message belongs to
select traceparent from message where id = :id
-- suppressions_in_force: what holds for a contact and a sender, or for all senders
select scope, source, since from suppression
where digest = digest(:contact) and sender in (:sender, '') and is_lifted = 0

-- any_suppression: whether the list holds anything at all
select 1 from suppression limit 1

-- set_suppression: what of the list holds for a conversation: what was decided before is decided again
update conversation set suppression = :suppression, revision = revision + 1 where id = :id

-- operator_s_entry: what an operator has put on the list
select scope, note from suppression where digest = digest(:contact) and sender = :sender and source = 'operator'

-- block: an operator's word
insert into suppression (digest, contact, sender, source, scope, since, actor, note)
values (digest(:contact), :contact, :sender, 'operator', :scope, :since, :actor, :note)
on conflict (digest, sender, source) do update
set contact = excluded.contact, scope = excluded.scope, actor = excluded.actor, note = excluded.note

-- unblock: an operator's word is taken back
delete from suppression where id = :id

-- heed: a contact's wish; an older one than that which counts changes nothing
insert into suppression (digest, contact, sender, source, scope, since, is_lifted, evidence)
values (digest(:contact), :contact, :sender, 'provider', :scope, :since, :is_lifted, :evidence)
on conflict (digest, sender, source) do update
set contact = excluded.contact, since = excluded.since, is_lifted = excluded.is_lifted, evidence = excluded.evidence
where excluded.since > since or (excluded.since = since and excluded.is_lifted < is_lifted)

-- lift: by an operator's word an opt-out counts no more; a later one would
update suppression set is_lifted = 1, since = max(since, :at), evidence = null where id = :id

-- entries_of_contact: all that stands on the list for a contact
select * from suppression where digest = digest(:contact) and is_lifted = 0 order by id

-- list_page: entries before a row, for all senders or what holds for one, newest first
select * from suppression
where id < :before and is_lifted = 0 and (:sender is null or sender in (:sender, ''))
order by id desc
limit :limit

-- copy_entries: what stands on the list for one id stands for another as well: the later wish, the stricter block
insert into suppression (digest, contact, sender, source, scope, since, is_lifted, actor, note, evidence)
select digest(:after), :after, sender, source, scope, since, is_lifted, actor, note, evidence
from suppression
where digest = digest(:before) and sender in (:sender, '')
on conflict (digest, sender, source) do update
set scope = excluded.scope, since = excluded.since, is_lifted = excluded.is_lifted, actor = excluded.actor,
    note = excluded.note, evidence = excluded.evidence
where case source
    when 'provider' then (excluded.since, is_lifted) > (since, excluded.is_lifted)
    else instr('marketing templates everything', excluded.scope) > instr('marketing templates everything', scope)
end

-- drop_wishes: they were another's than whoever has the id now
delete from suppression where digest = digest(:contact) and sender = :sender and source = 'provider'

-- open_imported: a window as another system knows it, where nothing newer is known
insert into conversation (sender, contact, bucket, anchor, evidence, quiet_from)
values (:sender, :contact, :bucket, :anchor, 'imported', :quiet_from)
on conflict (sender, contact) do update
set anchor = excluded.anchor, opened_by = null, evidence = excluded.evidence, revision = revision + 1
where excluded.anchor > coalesce(anchor, 0) and excluded.anchor > coalesce(refuted_at, 0)
returning id, due_at, revision = 0 as is_new

-- note_deed: an operator's power was used, once in a run
insert into operator_deed (run, at, actor, deed, sender, contact, facts)
values (:run, :at, :actor, :deed, :sender, :contact, :facts)
on conflict (run) do nothing

-- deed_of_run: what was done in it up to now
select facts from operator_deed where run = :run

-- count_deed: more was done in a run
update operator_deed set facts = :facts where run = :run

-- digest_of: what stands for a text once it is erased
select digest(:text) as digest

-- forget_arrival: that it came, but not of whom; a repetition is known by its digest
update inbox
set dedupe = digest(dedupe), provider_message_id = digest(provider_message_id), error = :error, problem = null,
    raw = null, has_raw = 0, conversation = null
where id = :id

-- early_of_id: reports that wait for the answer that brings this id
select id, error from inbox where state = 'waiting' and provider_message_id = :provider_message_id

-- begin_erasure: or begin anew with one that is not through, as the person may have come back
insert into erasure (run, contact, also, notices_to)
values (:run, :contact, :also, (select coalesce(max(id), 0) from notice))
on conflict (contact) do update
set stage = 0, after = 0, also = trim(also || ' ' || excluded.also), notices_to = excluded.notices_to
returning id, run

-- erasure_of_run: how far it has come
select * from erasure where run = :run

-- first_erasure: the one that began first
select * from erasure order by id limit 1

-- move_erasure: a step was done
update erasure set stage = stage + :moved, after = :after where id = :id

-- end_erasure: it is through
delete from erasure where id = :id

-- anonymise_entries: a wish must be honoured also once nobody may know whose it was
update suppression set contact = null, note = null, evidence = null where contact = :contact

-- anonymise_deeds: who did what, and no longer to whom
update operator_deed set contact = null where contact = :contact

-- forget_pause_words: what a provider said of an account may quote a number
update sender set pause_error = null where instr(pause_error, :contact)

-- anonymise_conversation: it is nobody's any more, and nothing leaves in it
update conversation
set contact = :contact, also_known_as = null, contact_name = null, anchor = null, refuted_at = null, opened_by = null,
    evidence = null, suppression = :suppression, erasure = :erasure, revision = revision + 1
where id = :id

-- drop_ids: a contact that was erased is found by none of them
delete from contact_id where conversation = :conversation

-- conversations_of_erasure: those that were the person's
select id from conversation where erasure = :erasure

-- leave_erasure: it is through with a conversation
update conversation set erasure = null where id = :id

-- lanes_of_erasure: where clients are told of the person
select lane.id from conversation cross join lane on lane.conversation = conversation.id
where conversation.erasure = :erasure

-- ended_notices_of_lane: delivered or given up, and not yet erased
select id, lane from notice
where lane = :lane and ended_at is not null and id <= :notices_to and body <> '{}'
limit :limit

-- waiting_notices_of_lane: neither delivered nor given up
select id, lane from notice where lane = :lane and ended_at is null and id <= :notices_to limit :limit

-- erase_notice: it ends without having been told
update notice
set state = 'failed', error = 'erased', body = '{}', url = case when url is null then null else '' end, ended_at = :at
where id = :id

-- arrivals_of_erasure: callbacks of the person's conversations
select inbox.id, inbox.error from conversation cross join inbox on inbox.conversation = conversation.id
where conversation.erasure = :erasure
limit :limit

-- unowned_arrivals: callbacks that belong to no conversation, from one on
select id, dedupe, provider_message_id, error, raw from inbox
where conversation is null and id > :after
order by id
limit :limit

-- messages_on: of a conversation, from one on
select place, conversation, status, content, fallback, error, expires_at from message
where conversation = :conversation and place > :after
order by place
limit :limit

-- lanes_of_conversation: where clients are told of it
select id, endpoint, leased_until from lane where conversation = :conversation

-- erase_message: it stays as something that was once sent to somebody
update message
set has_content = 0, content = :content, fallback = :fallback, error = :error, reference = null, callback_url = null,
    reply_to = null, opaque = null, addressed = null,
    idempotency_key = digest(idempotency_key), fingerprint = digest(fingerprint), expires_at = :expires_at
where place = :place

-- erase_attempt: the same of what was written
update attempt
set content = null, error = :error, provider_message_id = digest(provider_message_id)
where id = :id

-- refusals_of_contact: what was never accepted for it
select id, evidence from refusal where contact = :contact limit :limit

-- erase_refusal: for whom nobody knows
update refusal set contact = :contact, evidence = :evidence where id = :id

-- template_health: what is known of one template at a provider
select facts from template_health where provider = :provider and name = :name and language = :language

-- set_template_health: what is known of it now; the change is the latest of all
insert into template_health (provider, name, language, facts, revision)
values (
    :provider, :name, :language, :facts, (select coalesce(max(latest.revision), 0) + 1 from template_health as latest)
)
on conflict (provider, name, language) do update set facts = excluded.facts, revision = excluded.revision

-- trim_template_healths: forget those that have not changed for longest, beyond so many
delete from template_health
where revision in (select revision from template_health order by revision desc limit -1 offset :most)

-- template_healths: those that have changed since, in the order of the changes
select * from template_health where revision > :after order by revision

-- listed_template: what one provider lists of one template
select document from listed_template where provider = :provider and name = :name and language = :language

-- set_listed_template: what it lists now; the change is the latest of all
insert into listed_template (provider, name, language, document, listed_at, revision)
values (
    :provider, :name, :language, :document, :at,
    (select coalesce(max(latest.revision), 0) + 1 from listed_template as latest)
)
on conflict (provider, name, language) do update set
    document = excluded.document, listed_at = excluded.listed_at, revision = excluded.revision

-- see_listed_template: it is listed still, and as it was
update listed_template set listed_at = max(listed_at, :at)
where provider = :provider and name = :name and language = :language

-- unlisted_templates: those of a provider that were not seen since
select name, language from listed_template where provider = :provider and listed_at < :at and document is not null

-- trim_listed_templates: forget those that have not changed for longest, beyond so many
delete from listed_template
where revision in (select revision from listed_template order by revision desc limit -1 offset :most)

-- listed_templates: those that have changed since, in the order of the changes
select provider, name, language, document, revision from listed_template where revision > :after order by revision
